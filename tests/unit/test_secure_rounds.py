"""Rounds with secure aggregation, of clients in this process: who is in a sum, and when a round fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NoReturn

import numpy as np
import pytest
from flwr.app import ArrayRecord, Context, Message, RecordDict

from app.federation.rounds.attempts import Attempts
from app.federation.rounds.budgets import Budgets
from app.federation.rounds.secure import SecureRounds
from app.federation.strategies import build_strategy
from app.records import PrivacySpent
from bench.in_process import RUN_ID, ClientCall, InProcessGrid
from client.masking import Masking
from client.site.rules import Declined
from shared.dp_spec import DpSpec
from shared.errors import BudgetSpent, FedLoomError, RoundFailed
from shared.flower import client_declined, client_failed, node_id_of
from shared.names import BUDGET_RULE
from shared.npy import flat_view
from shared.results import TrainMetrics
from shared.run_spec import RunSpec
from shared.secagg import model
from shared.secagg.member import Member
from shared.secagg.packing import Summed
from shared.secagg.settings import SecureAggregation
from tests.support.secagg import SERVER, key_of, nobody_is_known
from tests.support.updates import a_model, a_record

SPEC = RunSpec(secure_aggregation=SecureAggregation(), min_clients=3)
PRIVATE = SPEC.with_changes(dp=DpSpec(noise_multiplier=1.0))
SENT = a_record(a_model(1))


class Crashed(Exception):
    """Stands for the end of the server."""


class Idle(Exception):
    """The run waits for something else to happen."""


def learns(change: float) -> ClientCall:
    """A ClientApp that adds this to all weights."""

    def train(message: Message, _: Context) -> Message:
        arrays = message.content["arrays"]
        assert isinstance(arrays, ArrayRecord)
        learned = model.changed(arrays, np.full(model.size_of(arrays), change))
        metrics = TrainMetrics(num_examples=10, train_loss=0.5, duration_s=0.1)
        return Message(RecordDict({"arrays": learned, "metrics": metrics.to_record()}), reply_to=message)

    return train


def diverges(message: Message, _: Context) -> NoReturn:
    raise FedLoomError("Training diverged.")


def has_spent_its_budget(message: Message, _: Context) -> NoReturn:
    raise Declined(BUDGET_RULE, "privacy_budget = 3, of which 2.90 is spent on digits")


class Federation(InProcessGrid):
    """Clients behind their masks; a failure is an answer, as on the link."""

    def __init__(self, spec: RunSpec = SPEC, **apps: ClientCall) -> None:
        self._config = spec.to_run_config()
        super().__init__({})
        for name, app in apps.items():
            self.join(name, app)

    def join(self, name: str, app: ClientCall) -> None:
        """One more client."""
        member = Member(name, key_of(ord(name)), node_id_of, nobody_is_known)
        masking = Masking(app, member, lambda: (SERVER,))
        node = node_id_of(name)
        self._clients[node] = masking, Context(RUN_ID, node, {}, RecordDict(), self._config)

    def leave(self, name: str) -> tuple[ClientCall, Context]:
        """One client less; returns it."""
        return self._clients.pop(node_id_of(name))

    def come_back(self, name: str, client: tuple[ClientCall, Context]) -> None:
        """One that has left is there again, with what it remembers."""
        self._clients[node_id_of(name)] = client

    def answer(self, message: Message) -> Message:
        """As of InProcessGrid."""
        try:
            return super().answer(message)
        except Declined as declined:
            return client_declined(message, declined.line, declined.rule)
        except FedLoomError as error:
            return client_failed(message, str(error))


class Told:
    """Notes whose updates are in each sum; a wait ends the test, and so may a sum."""

    def __init__(
        self,
        on_sum: Callable[[], None] = lambda: None,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        self.summed_nodes: list[frozenset[int]] = []
        self._on_sum = on_sum
        self._on_wait = on_wait

    def before_round(self, server_round: int) -> None:
        """All are there."""

    def short_of_updates(self, server_round: int, reason: str) -> None:
        if self._on_wait is None:
            raise Idle(reason)
        self._on_wait(reason)

    def summed(self, server_round: int, nodes: Iterable[int], summed: Summed) -> None:
        self.summed_nodes.append(frozenset(nodes))
        self._on_sum()

    def spent(self, privacy: PrivacySpent) -> None:
        """Nothing is spent."""

    def made(self, server_round: int, sent: ArrayRecord, arrays: ArrayRecord) -> None:
        """Nothing to do."""


def train(
    grid: Federation,
    told: Told,
    sent: ArrayRecord = SENT,
    server_round: int = 1,
    spec: RunSpec = SPEC,
) -> ArrayRecord:
    strategy = build_strategy(spec)
    attempts = Attempts(grid, spec, strategy.minimum_updates, told, Budgets(spec))
    return SecureRounds(grid, spec, SecureAggregation(), strategy, told, attempts, SERVER).train(
        sent, server_round
    )


def crash() -> NoReturn:
    raise Crashed


def nodes(*names: str) -> frozenset[int]:
    return frozenset(map(node_id_of, names))


def change_of(made: ArrayRecord) -> float:
    """By how much all weights have moved."""
    moved = np.concatenate([flat_view(made[name]) - flat_view(array) for name, array in SENT.items()])
    assert moved.std() < 1e-4
    return float(moved.mean())


def test_updates_that_are_all_equal_are_their_own_mean() -> None:
    made = train(Federation(a=learns(0.5), b=learns(0.5), c=learns(0.5)), Told())

    assert change_of(made) == pytest.approx(0.5, abs=1e-4)


def test_who_joins_between_rounds_is_in_the_next_sum() -> None:
    grid, told = Federation(a=learns(1), b=learns(1), c=learns(1)), Told()

    made = train(grid, told)
    grid.join("d", learns(1))
    train(grid, told, made, 2)

    assert told.summed_nodes == [nodes("a", "b", "c"), nodes("a", "b", "c", "d")]


def test_a_sum_that_was_opened_before_a_crash_is_opened_again_without_who_came_since(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once, the run waited for ever: clients open one sum of a model, and the server asked all four."""
    grid, told = Federation(a=learns(1), b=learns(1), c=learns(1)), Told()
    with pytest.raises(Crashed):
        train(grid, Told(crash))
    grid.join("d", learns(5))

    made = train(grid, told)

    assert told.summed_nodes == [nodes("a", "b", "c")]
    assert change_of(made) == pytest.approx(1, abs=1e-4)
    assert "round 1: its sum was opened before with 3 of these 4 clients" in caplog.text


def test_while_one_of_that_sum_is_away_the_round_waits_and_then_goes_on() -> None:
    grid = Federation(a=learns(1), b=learns(1), c=learns(1), d=learns(1))
    with pytest.raises(Crashed):
        train(grid, Told(crash))
    away = grid.leave("b")
    grid.join("e", learns(5))

    reasons: list[str] = []

    def come_back(reason: str) -> None:
        reasons.append(reason)
        grid.come_back("b", away)

    told = Told(on_wait=come_back)
    train(grid, told)

    assert told.summed_nodes == [nodes("a", "b", "c", "d")]
    (reason,) = reasons
    assert "was opened before with other clients in it" in reason


def test_a_client_whose_training_fails_is_left_out_of_the_sum() -> None:
    grid, told = Federation(a=learns(1), b=learns(1), c=learns(1), d=diverges), Told()

    assert change_of(train(grid, told)) == pytest.approx(1, abs=1e-4)
    assert told.summed_nodes == [nodes("a", "b", "c")]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e39])
def test_so_is_one_whose_update_is_no_numbers(value: float) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        grid, told = Federation(a=learns(1), b=learns(1), c=learns(1), d=learns(value)), Told()
        train(grid, told)

    assert told.summed_nodes == [nodes("a", "b", "c")]


def test_a_round_in_which_every_training_fails_ends_the_run_as_it_does_in_the_clear() -> None:
    """Once, such a run waited to try again, with the same settings."""
    with pytest.raises(RoundFailed, match=r"no client returned an update \(Training diverged.\)"):
        train(Federation(a=diverges, b=diverges, c=diverges), Told())


def test_a_run_of_which_too_few_have_something_left_of_their_budgets_ends_for_that() -> None:
    """Once, the two who were left were asked alone, refused so few, and the run had failed."""
    grid = Federation(PRIVATE, a=learns(1), b=learns(1), c=has_spent_its_budget)

    with pytest.raises(BudgetSpent, match=r"2 of 3 have something left, and secure aggregation needs 3: .*3"):
        train(grid, Told(), spec=PRIVATE)


def test_it_goes_on_while_enough_have_something_left() -> None:
    grid = Federation(
        PRIVATE, a=learns(1), b=learns(1), c=learns(1), d=has_spent_its_budget, e=has_spent_its_budget
    )
    told = Told()

    train(grid, told, spec=PRIVATE)

    assert told.summed_nodes == [nodes("a", "b", "c")]


def test_a_round_that_some_could_take_part_in_waits_for_more() -> None:
    with pytest.raises(Idle, match="2 of 3 clients have sent an update"):
        train(Federation(a=learns(1), b=learns(1), c=diverges), Told())


def test_many_rounds_one_after_the_other_come_to_their_sums() -> None:
    """Peers' secure aggregation broke down after some seventy rounds (Fed-BioMed's issue 1002)."""
    grid, told = Federation(a=learns(0.125), b=learns(0.125), c=learns(0.125)), Told()
    sent = SENT
    for number in range(1, 121):
        sent = train(grid, told, sent, number)

    assert len(told.summed_nodes) == 120
    assert change_of(sent) == pytest.approx(15, rel=1e-3)
