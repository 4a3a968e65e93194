"""What is shown of the rounds and numbers of another Flower app, whatever its shape."""

from __future__ import annotations

from typing import Any

import pytest

from app.event_bus import EventBus
from app.federation.rounds.foreign_replies import read_any_reply
from app.federation.rounds.known_metrics import MAX_METRICS
from app.federation.rounds.recognition import AppRounds
from app.federation.runs.round_records import PUBLISH_INTERVAL_S
from app.records import GlobalScore, RoundUpdate
from shared.run_spec import RunSpec
from tests.support.watching import Watched

PAIR = ("a", "b")


class AppRun(Watched):
    """A run of an app, with two clients and as many rounds as it says."""

    def __init__(self, num_rounds: int | None = 3) -> None:
        super().__init__(
            AppRounds(),
            lambda instruction, reply: read_any_reply(instruction.kind, reply),
            num_rounds=num_rounds,
            spec=RunSpec(app="some-app", min_clients=2),
        )

    def exchange(self, kind: str, server_round: int | None = 1, **metrics: Any) -> None:
        """Ask both clients, who answer with the same, or each with a value of its own of a pair."""
        asked = self.ask(kind, *PAIR, server_round=server_round)
        for position, client_id in enumerate(PAIR):
            mine = {
                name: value[position] if isinstance(value, tuple) else value
                for name, value in metrics.items()
            }
            self.answer(asked[client_id], **mine)

    def published(self) -> list[int]:
        """The numbers of the rounds that were published, in the order in which they were."""
        bus: EventBus = self.book._bus
        return [event.data.round.round for event in bus.since(0) if isinstance(event.data, RoundUpdate)]


@pytest.fixture
def run() -> AppRun:
    return AppRun()


# rounds


def test_rounds_are_numbered_from_one_and_carry_the_apps_number(run: AppRun) -> None:
    for number in (0, 1):
        run.exchange("train", number, train_loss=1.0)
    run.tracker.close()

    assert {number: (round_.label, round_.complete) for number, round_ in run.rounds.items()} == {
        1: ("0", True),
        2: ("1", True),
    }
    assert run.run.round == 2


def test_an_app_that_starts_twice_has_all_its_rounds(run: AppRun) -> None:
    for _ in range(2):
        for number in (1, 2, 3):
            run.exchange("train", number, train_loss=1.0)
            run.exchange("evaluate", number, loss=1.0)
    run.tracker.close()

    assert [round_.label for round_ in run.rounds.values()] == [None, None, None, "1", "2", "3"]


def test_a_run_with_more_rounds_than_its_app_said_no_longer_says_how_many(
    run: AppRun, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run.exchange("train", 3, train_loss=1.0)
    for _ in range(2):
        run.exchange("train", None, train_loss=1.0)
    shown = (run.run.round, run.run.num_rounds)
    run.exchange("train", None, train_loss=1.0)

    assert shown == (3, 3)
    assert (run.run.round, run.run.num_rounds) == (4, None)
    assert "the app goes on after its 3 rounds" in caplog.messages


def test_the_clients_evaluation_of_the_initial_model_is_round_zero_and_complete_when_training_begins(
    run: AppRun,
) -> None:
    run.exchange("evaluate", None, loss=2.0)
    run.exchange("train", None, train_loss=1.0)

    assert (run.rounds[0].complete, run.rounds[0].client_loss, run.rounds[0].clients) == (True, 2.0, 0)


def test_a_reply_that_comes_after_its_round_counts_there(run: AppRun) -> None:
    first = run.ask("train", *PAIR)
    run.answer(first["a"], train_loss=1.0)
    run.exchange("train", 2, train_loss=5.0)

    run.answer(first["b"], train_loss=3.0)

    assert (run.rounds[1].complete, run.rounds[1].clients, run.rounds[1].train_loss) == (True, 2, 2.0)
    assert (run.rounds[2].clients, run.rounds[2].train_loss) == (2, 5.0)
    assert run.progress == ("aggregating", 2, 2), "that of the second round"


def test_a_round_whose_replies_are_not_waited_for_has_those_that_came(run: AppRun) -> None:
    asked = run.ask("train", *PAIR)
    run.answer(asked["a"], train_loss=1.0)
    run.ask("train", *PAIR, server_round=2)

    assert (run.rounds[1].complete, run.rounds[1].clients, run.rounds[1].train_loss) == (True, 1, 1.0)


# stages


def test_both_trainings_of_a_round_are_kept_apart(run: AppRun) -> None:
    run.exchange("train", train_loss=(1.0, 3.0), drift=0.5)
    run.exchange("train", train_loss=(0.5, 0.7))

    assert run.round.metrics == {"train": {"train_loss": 2.0, "drift": 0.5}, "train 2": {"train_loss": 0.6}}
    assert run.round.train_loss == pytest.approx(0.6)
    part = run.round.per_client["b"]
    assert part.stages == {"train": {"train_loss": 3.0, "drift": 0.5}, "train 2": {"train_loss": 0.7}}
    assert part.metrics == {"train_loss": 0.7, "drift": 0.5}


def test_a_later_stage_without_numbers_wipes_nothing(run: AppRun) -> None:
    run.exchange("train", train_loss=1.5, num_examples=40)
    run.exchange("train")

    part = run.round.per_client["a"]
    assert (run.round.train_loss, run.round.clients) == (1.5, 2)
    assert (part.train_loss, part.samples) == (1.5, 40)
    assert part.metrics == {"train_loss": 1.5, "num-examples": 40.0}


def test_a_client_that_drops_out_in_a_later_stage_does_not_count(
    run: AppRun, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run.exchange("train")
    second = run.ask("train", *PAIR)
    run.answer(second["a"])
    run.fail(second["b"], "it dropped out")
    third = run.ask("train", "a")
    run.answer(third["a"])
    run.tracker.close()

    assert run.round.clients == 1
    assert "round 1 aggregated from 1 of 2 clients" in caplog.messages


def test_progress_counts_each_stage_by_itself(run: AppRun) -> None:
    run.exchange("train")
    first = run.progress
    second = run.ask("train", *PAIR)
    begun = run.progress
    run.answer(second["a"])

    assert (first, begun, run.progress) == (("aggregating", 2, 2), ("training", 0, 2), ("training", 1, 2))


def test_a_client_that_is_asked_twice_at_once_has_both_answers(run: AppRun) -> None:
    instructions = [run.instruction("a", "train", 1) for _ in range(2)]
    run.tracker.sent(instructions)
    begun = run.progress
    for loss, instruction in enumerate(instructions):
        run.answer(instruction, train_loss=float(loss))

    assert (begun, run.progress) == (("training", 0, 2), ("aggregating", 2, 2))
    assert run.round.per_client["a"].stages == {"train": {"train_loss": 0.0}, "train 2": {"train_loss": 1.0}}


def test_the_same_name_in_training_and_evaluation_is_two_numbers(run: AppRun) -> None:
    run.exchange("train", loss=1.0, f1=0.3)
    run.exchange("evaluate", loss=2.0, f1=0.6)

    assert run.round.metrics == {"train": {"loss": 1.0, "f1": 0.3}, "evaluate": {"loss": 2.0, "f1": 0.6}}
    assert (run.round.train_loss, run.round.client_loss) == (1.0, 2.0)


def test_a_function_of_the_client_app_is_a_stage_of_its_own(run: AppRun) -> None:
    run.exchange("train.setup", None, keys=2)
    run.exchange("train.mask", None, train_loss=1.0)

    assert run.round.metrics == {"train.setup": {"keys": 2.0}, "train.mask": {"train_loss": 1.0}}
    assert (run.round.train_loss, run.round.clients) == (1.0, 2)


# numbers


def test_means_are_weighted_by_examples_and_the_weight_is_none_of_them(run: AppRun) -> None:
    run.exchange("evaluate", auc=(0.5, 0.9), num_examples=(10, 30))

    assert run.round.metrics == {"evaluate": {"auc": pytest.approx(0.8)}}


def test_a_number_that_one_client_has_is_its_own_mean(run: AppRun) -> None:
    asked = run.ask("evaluate", *PAIR)
    run.answer(asked["a"], num_examples=10, auc=0.5)
    run.answer(asked["b"], num_examples=30)

    assert run.round.metrics == {"evaluate": {"auc": 0.5}}


def test_what_the_strategy_aggregated_counts_instead_of_the_mean(run: AppRun) -> None:
    run.exchange("evaluate", eval_loss=(1.0, 3.0), auc=0.5)
    run.tracker.app_aggregated("evaluate", 1, {"eval_loss": 1.5, "worst": 3.0})

    assert run.round.metrics == {"evaluate": {"eval_loss": 1.5, "auc": 0.5, "worst": 3.0}}
    assert run.round.client_loss == 1.5


def test_an_aggregate_that_is_told_at_the_end_keeps_the_rest_of_its_round(run: AppRun) -> None:
    for number in range(1, 21):
        run.exchange("train", number, train_loss=1.0, drift=2.0)
        run.exchange("evaluate", number, loss=1.0)
    run.tracker.app_aggregated("train", 3, {"train_loss": 9.0})
    run.tracker.app_evaluated(3, {"loss": 7.0})

    third = run.rounds[3]
    assert third.metrics["train"] == {"train_loss": 9.0, "drift": 2.0}
    assert (third.train_loss, third.client_loss, third.loss, third.clients) == (9.0, 1.0, 7.0, 2)
    assert third.complete


def test_an_aggregate_of_a_validation_while_training_gives_way_to_an_evaluation(run: AppRun) -> None:
    run.exchange("train", val_loss=1.0)
    run.exchange("evaluate", loss=2.0)
    run.tracker.app_aggregated("train", 1, {"val_loss": 5.0})

    assert run.round.client_loss == 2.0


def test_clients_are_shown_in_the_rounds_as_they_are_numbered_here(run: AppRun) -> None:
    instructions = [run.instruction("a", kind, 0) for kind in ("train", "get_parameters")]

    assert run.tracker.sent(instructions) == [1, None]


def test_an_aggregate_of_training_is_of_its_newest_stage(run: AppRun) -> None:
    run.exchange("train", train_loss=1.0)
    run.exchange("train", train_loss=2.0)
    run.tracker.app_aggregated("train", 1, {"train_loss": 7.0})

    assert run.round.metrics == {"train": {"train_loss": 1.0}, "train 2": {"train_loss": 7.0}}
    assert run.round.train_loss == 7.0


def test_a_validation_in_the_reply_to_training_is_the_clients_evaluation(run: AppRun) -> None:
    run.exchange("train", train_loss=1.0, val_loss=(2.0, 4.0), val_accuracy=0.5)

    assert (run.round.train_loss, run.round.client_loss, run.round.client_accuracy) == (1.0, 3.0, 0.5)


def test_numbers_that_are_too_many_are_said_to_be_once(run: AppRun, caplog: pytest.LogCaptureFixture) -> None:
    many = {f"m{number}": 1.0 for number in range(MAX_METRICS + 3)}
    for number in (1, 2):
        run.exchange("train", number, **many)

    said = f"3 numbers of one result are not shown: of each result, {MAX_METRICS} are"
    assert [message for message in caplog.messages if "not shown" in message] == [said]
    assert len(run.round.metrics["train"]) == MAX_METRICS


def test_what_is_no_finite_number_in_an_apps_result_is_left_out(run: AppRun) -> None:
    result: Any = {"loss": 1.0, "accuracy": float("nan"), "list": [1.0], "note": "text", "done": True}

    run.tracker.app_evaluated(0, result)

    assert run.round.metrics == {"server": {"loss": 1.0}}


# the ServerApp's evaluation


def test_what_the_server_app_computes_is_the_global_model_after_its_round(run: AppRun) -> None:
    run.tracker.app_evaluated(0, {"loss": 2.0, "accuracy": 0.1})
    run.exchange("train", 1, train_loss=1.0)
    run.exchange("evaluate", 1, loss=1.0)
    run.tracker.app_evaluated(1, {"loss": 1.0, "accuracy": 0.5, "auc": 0.75})
    run.tracker.close()

    shown = {number: (each.loss, each.accuracy, each.complete) for number, each in run.rounds.items()}
    assert shown == {0: (2.0, 0.1, True), 1: (1.0, 0.5, True)}
    assert run.rounds[1].metrics["server"] == {"loss": 1.0, "accuracy": 0.5, "auc": 0.75}
    assert run.run.final == GlobalScore(loss=1.0, accuracy=0.5)


def test_a_result_under_other_names_is_shown_and_no_score(run: AppRun) -> None:
    run.exchange("train", 1)
    run.tracker.app_evaluated(1, {"reward": 12.5})

    assert run.round.metrics == {"server": {"reward": 12.5}}
    assert (run.round.loss, run.round.accuracy, run.run.final) == (None, None, None)


def test_a_result_in_the_older_style_comes_before_the_clients_evaluate(run: AppRun) -> None:
    run.exchange("train", 1)
    run.tracker.app_evaluated(1, {"loss": 1.0})
    run.exchange("evaluate", 1, loss=2.0)

    assert (run.round.round, run.round.loss, run.round.client_loss) == (1, 1.0, 2.0)


def test_the_initial_model_of_a_second_start_is_of_no_round(
    run: AppRun, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for _ in range(2):
        run.tracker.app_evaluated(0, {"loss": 9.0})
        run.exchange("train", 1)
        run.tracker.app_evaluated(1, {"loss": 1.0})

    assert {number: round_.loss for number, round_ in run.rounds.items()} == {0: 9.0, 1: 1.0, 2: 1.0}
    assert "the app starts over with a model that it evaluated as {'loss': 9.0}" in caplog.messages


# percentages


def test_percentages_are_recognised_over_the_run_and_rounds_before_are_published_again(run: AppRun) -> None:
    run.exchange("evaluate", 1, accuracy=(0.5, 0.9))
    run.exchange("evaluate", 2, accuracy=(0.7, 0.8))
    as_shares = run.rounds[1].client_accuracy
    run.exchange("evaluate", 3, accuracy=(12.0, 14.0))

    assert as_shares == pytest.approx(0.7)
    accuracies = [round_.client_accuracy for round_ in run.rounds.values()]
    assert accuracies == pytest.approx([0.007, 0.0075, 0.13])
    assert run.rounds[1].per_client["b"].accuracy == pytest.approx(0.009)
    assert run.rounds[1].per_client["b"].metrics == {"accuracy": 0.9}, "as the client said it"
    assert run.notes["a"]["accuracy"] == pytest.approx(0.12)
    assert set(run.published()[-4:]) == {1, 2, 3}


def test_percentages_of_the_server_app_are_recognised_and_its_final_score_is_corrected(run: AppRun) -> None:
    run.tracker.app_evaluated(0, {"accuracy": 0.9})
    run.exchange("train", 1)
    run.tracker.app_evaluated(1, {"accuracy": 55.0})

    assert [round_.accuracy for round_ in run.rounds.values()] == pytest.approx([0.009, 0.55])
    assert run.run.final == GlobalScore(loss=None, accuracy=0.55)


def test_one_client_that_is_above_one_makes_the_others_percentages(run: AppRun) -> None:
    run.exchange("evaluate", 1, acc=(0.5, 1.5))

    assert run.round.client_accuracy == pytest.approx(0.01)
    assert run.round.per_client["a"].accuracy == pytest.approx(0.005)


def test_training_and_evaluation_have_percentages_each_for_itself(run: AppRun) -> None:
    run.exchange("train", 1, val_accuracy=0.5)
    run.exchange("train", 2)
    run.exchange("evaluate", 2, val_accuracy=50.0)

    assert (run.rounds[1].client_accuracy, run.rounds[2].client_accuracy) == (0.5, 0.5)


@pytest.mark.parametrize("value", [101.0, -0.5])
def test_a_value_that_no_accuracy_has_makes_the_name_another_metric(run: AppRun, value: float) -> None:
    run.exchange("evaluate", 1, accuracy=0.5, acc=0.25)
    run.exchange("evaluate", 2, accuracy=value, acc=0.75)

    assert [round_.client_accuracy for round_ in run.rounds.values()] == [0.25, 0.75]
    assert run.round.metrics["evaluate"]["accuracy"] == value


# the end


def test_a_round_that_was_answered_is_complete_also_when_the_app_fails_after_it(run: AppRun) -> None:
    run.exchange("train", 1)
    run.exchange("evaluate", 1, loss=2.0)
    run.tracker.app_evaluated(1, {"loss": 1.0})

    run.tracker.cut()

    assert (run.round.complete, run.round.client_loss, run.round.loss) == (True, 2.0, 1.0)
    assert run.round.duration_s is not None


def test_a_round_that_was_cut_in_the_middle_stays_incomplete_with_what_has_come(run: AppRun) -> None:
    run.exchange("train", 1, train_loss=1.0)
    asked = run.ask("evaluate", *PAIR)
    run.answer(asked["a"], loss=2.0)

    run.tracker.cut()

    assert (run.round.complete, run.round.train_loss, run.round.clients) == (False, 1.0, 2)
    assert run.round.per_client["a"].loss == 2.0


def test_a_run_that_was_cut_before_it_sent_anything_has_no_round(run: AppRun) -> None:
    run.tracker.cut()
    run.tracker.close()

    assert run.rounds == {}


@pytest.mark.parametrize(("numbers", "published"), [(1, 30), (MAX_METRICS, 15 + 7)])
def test_a_round_with_very_many_numbers_is_published_less_often(
    run: AppRun, monkeypatch: pytest.MonkeyPatch, numbers: int, published: int
) -> None:
    metrics = {f"m{number}": 1.0 for number in range(numbers)}
    clients = [f"client-{number}" for number in range(31)]
    asked = run.ask("train", *clients)
    for number, client_id in enumerate(clients[:-1], start=1):
        now = 1.5 * PUBLISH_INTERVAL_S * number
        monkeypatch.setattr("app.federation.runs.round_records.monotonic", lambda now=now: now)
        run.answer(asked[client_id], **metrics)

    assert len(run.published()) == published, "every time, or but each second once it has 15,000 numbers"


def test_replies_that_come_all_at_once_are_published_though_another_is_late(
    run: AppRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("app.federation.runs.round_records.monotonic", lambda: now)
    asked = run.ask("train", "a", "b", "c", "slow")
    for client_id in "abc":
        run.answer(asked[client_id], train_loss=1.0)

    assert list(run.round.per_client) == ["a"]
    assert run.tracker.due_s() == pytest.approx(PUBLISH_INTERVAL_S)
    now += 2 * PUBLISH_INTERVAL_S
    assert run.tracker.due_s() == 0
    run.tracker.catch_up()
    assert list(run.round.per_client) == ["a", "b", "c"]
    assert run.tracker.due_s() is None
