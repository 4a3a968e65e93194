"""Merging: what clients have learned without the server becomes a round of the run, by the strategy."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, Context, Message, RecordDict
from flwr.clientapp import ClientApp

from app.federation.grid.instruction import Instruction
from app.federation.rounds.built_in_replies import BuiltInReplies, read_reply
from app.federation.rounds.merging import Contribution, Merging
from mesh.learning.base import Base
from mesh.learning.merge import Progress
from shared.mesh_contribution import (
    GENERATION,
    MERGED,
    MESH_UPDATE,
    ContributionMetrics,
    common_round,
    generation_after,
    objection,
)
from shared.run_spec import RunSpec
from tests.support.local_grid import FIRST_NODE_ID, LocalGrid
from tests.support.updates import a_strategy

RUN = "00000001"
GENERATION_HERE = 7
DONE = 3


def a_model(value: float) -> ArrayRecord:
    return ArrayRecord({"w": Array(np.full(4, value, np.float32)), "count": Array(np.array(3))})


@dataclass
class Book:
    """A server that knows its own generation, in which it has gone `rounds` since round 3."""

    replies: dict[int, ContributionMetrics] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)
    total: float = 1_000.0
    rounds: int = 0
    before: tuple[int, ...] = ()
    merges: list[tuple[int, list[int]]] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    run: str = RUN
    generation: int = GENERATION_HERE

    def waiting(self) -> dict[int, int]:
        return self.numbers

    def merged_before(self, server_round: int) -> Sequence[int]:
        return self.before

    def contribution(self, reply: Message) -> Contribution:
        arrays = reply.content["arrays"]
        assert isinstance(arrays, ArrayRecord)
        node = reply.metadata.src_node_id
        return Contribution(node, arrays, ContributionMetrics.from_reply(reply))

    def since(self, base: Base, done: int) -> Progress | None:
        if base.generation != GENERATION_HERE:
            return None
        return Progress(self.rounds, samples=100.0, steps=float(self.rounds))

    def samples(self, contributions: Sequence[Contribution]) -> float:
        return self.total

    def folded(self, contribution: Contribution) -> None:
        self.taken.append(contribution.node_id)

    def merged(
        self, server_round: int, contributions: Sequence[Contribution], sent: ArrayRecord, made: ArrayRecord
    ) -> None:
        self.merges.append((server_round, [each.metrics.contribution for each in contributions]))


def told(**changes: Any) -> ContributionMetrics:
    values: dict[str, Any] = {
        "num_examples": 100,
        "duration_s": 1.0,
        "train_loss": 0.5,
        "contribution": 1,
        "generation": GENERATION_HERE,
        "base_round": DONE,
        "mesh_rounds": 6,
        "mass": 100.0,
        "steps": 6.0,
    }
    return ContributionMetrics(**{**values, **changes})


@dataclass
class Federation:
    """Clients with these contributions, by part."""

    book: Book
    models: dict[int, ArrayRecord]
    told: dict[int, ContributionMetrics]
    asked: list[Message] = field(default_factory=list)

    @classmethod
    def of(cls, *clients: tuple[float, ContributionMetrics], **book: Any) -> Federation:
        numbers = {FIRST_NODE_ID + part: metrics.contribution for part, (_, metrics) in enumerate(clients)}
        return cls(
            Book(numbers=numbers, **book),
            {FIRST_NODE_ID + part: a_model(value) for part, (value, _) in enumerate(clients)},
            {FIRST_NODE_ID + part: metrics for part, (_, metrics) in enumerate(clients)},
        )

    def merging(self, strategy: str = "fedavg", *, takes_sums: bool = True, **params: float) -> Merging:
        app = ClientApp()

        @app.train("mesh")
        def contribute(message: Message, context: Context) -> Message:
            self.asked.append(message)
            node = context.node_id
            content = RecordDict({"arrays": self.models[node], "metrics": self.told[node].to_record()})
            return Message(content, reply_to=message)

        grid = LocalGrid(app, max(len(self.models), 3), {})
        return Merging(grid, a_strategy(strategy, b"", **params), self.book, takes_sums=takes_sums)


def values(model: ArrayRecord | None) -> float:
    assert model is not None
    (value,) = set(model["w"].numpy().tolist())
    return round(float(value), 5)


def test_without_a_contribution_the_round_is_trained() -> None:
    federation = Federation.of()

    assert federation.merging().merge(a_model(0.0), DONE + 1) is None
    assert federation.asked == []


def test_contributions_make_the_next_model_weighted_by_what_is_behind_them() -> None:
    federation = Federation.of(
        (1.0, told(contribution=1, mass=100.0, steps=6.0)), (4.0, told(contribution=2, mass=300.0, steps=2.0))
    )

    made = federation.merging().merge(a_model(0.0), DONE + 1)

    assert values(made) == 2.5  # 600 and 600 parts
    assert made is not None
    assert made["count"].numpy() == 3
    assert federation.book.merges == [(DONE + 1, [1, 2])]
    assert federation.book.taken == [FIRST_NODE_ID, FIRST_NODE_ID + 1]


def test_clients_are_sent_the_model_and_the_generation_that_the_server_signs() -> None:
    federation = Federation.of((1.0, told()), before=(8, 9))

    federation.merging().merge(a_model(0.0), DONE + 1)

    (message,) = federation.asked
    assert message.metadata.message_type == MESH_UPDATE
    config = message.content["config"]
    assert dict(config) == {"server-round": DONE + 1, GENERATION: GENERATION_HERE, MERGED: [8, 9]}


def test_the_servers_own_rounds_count_beside_what_is_stale() -> None:
    federation = Federation.of((1.0, told(mass=100.0, steps=6.0)), rounds=3)

    made = federation.merging().merge(a_model(0.0), DONE + 4)

    own, theirs = 100 * 3.0, 100 * 6.0 / 2  # three rounds ago: half
    assert values(made) == round(theirs / (own + theirs), 5)


def test_what_is_merged_already_is_not_asked_for_again() -> None:
    federation = Federation.of((1.0, told(contribution=5)), before=(5,))

    assert federation.merging().merge(a_model(0.0), DONE + 1) is None
    assert federation.asked == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"generation": 8}, "not in this server's history"),
        ({"mass": 1e9}, "more samples than the run has"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_once(
    changes: dict[str, Any], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    federation = Federation.of((1.0, told(**changes)))
    merging = federation.merging()

    with caplog.at_level(logging.WARNING):
        assert merging.merge(a_model(0.0), DONE + 1) is None
        assert merging.merge(a_model(0.0), DONE + 1) is None

    assert len(federation.asked) == 1
    assert words in caplog.text
    assert federation.book.merges == []


def test_a_robust_strategy_judges_each_contribution_by_itself() -> None:
    federation = Federation.of(
        *((value, told(contribution=number)) for number, value in enumerate([1.0, 1.2, 900.0], start=1))
    )

    made = federation.merging("fedmedian", takes_sums=False).merge(a_model(0.0), DONE + 1)

    assert values(made) == 1.2
    assert federation.book.merges == [(DONE + 1, [1, 2, 3])]


def test_a_strategy_that_needs_more_updates_leaves_them_out(caplog: pytest.LogCaptureFixture) -> None:
    federation = Federation.of((1.0, told()))

    with caplog.at_level(logging.WARNING):
        made = federation.merging("krum", takes_sums=False, num_malicious_nodes=1).merge(
            a_model(0.0), DONE + 1
        )

    assert made is None
    assert "the strategy needs" in caplog.text


def test_a_server_optimiser_takes_the_mean_as_a_step() -> None:
    plain, momentum = (Federation.of((1.0, told())) for _ in range(2))

    strategy = momentum.merging("fedavgm", server_learning_rate=0.5, server_momentum=0.0)
    made = strategy.merge(a_model(0.0), DONE + 1)

    assert values(plain.merging().merge(a_model(0.0), DONE + 1)) == 1.0
    assert values(made) == 0.5


def test_a_reply_to_it_is_checked_as_an_update_is() -> None:
    sent = Message(RecordDict({"arrays": a_model(0.0)}), 2, MESH_UPDATE)
    instruction = Instruction("a", sent, 4)
    good = RecordDict({"arrays": a_model(1.0), "metrics": told().to_record()})
    nan = RecordDict({"arrays": a_model(float("nan")), "metrics": told().to_record()})
    replies = BuiltInReplies()
    reply = Message(good, reply_to=sent)

    assert read_reply(instruction, reply).num_examples == 100
    replies.read(instruction, reply)
    assert replies.contribution(reply).metrics == told()
    with pytest.raises(Exception, match="infinite or not numbers"):
        read_reply(instruction, Message(nan, reply_to=sent))


@pytest.mark.parametrize(
    ("base", "later", "common"),
    [(4, [], 4), (4, [3], 3), (2, [3], 2), (9, [5, 3, 4], 3)],
)
def test_what_a_server_made_and_did_not_keep_is_a_line_that_broke_off(
    base: int, later: list[int], common: int
) -> None:
    assert common_round(base, later) == common


def test_generations_grow_and_no_two_servers_have_the_same() -> None:
    first = generation_after(0)
    copies = {generation_after(first) for _ in range(3)}

    assert len(copies) == 3
    assert min(copies) > first > 0
    assert max(copies) < 2**53


def test_a_server_with_an_older_state_takes_a_higher_generation_than_those_that_it_has_forgotten() -> None:
    kept = generation_after(0, lambda: 1e9)
    forgotten = generation_after(generation_after(kept, lambda: 1e9 + 1), lambda: 1e9 + 2)

    assert generation_after(kept, lambda: 1e9 + 60) > forgotten


@pytest.mark.parametrize("clock_s", [-1e9, 0.0, 1e9, 1e12])
def test_generations_grow_whatever_the_clock_says(clock_s: float) -> None:
    number = generation_after(0, lambda: 2e9)
    for _ in range(3):
        number, before = generation_after(number, lambda: clock_s), number
        assert before < number < 2**53


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({}, None),
        ({"strategy": "krum", "min_clients": 5}, None),
        ({"dp": {"noise_multiplier": 1.0, "clipping_norm": 1.0}}, None),
        ({"secure_aggregation": {}, "min_clients": 3}, "secure aggregation"),
        ({"strategy": "dpfedavg-fixed"}, "adds noise at the server"),
    ],
)
def test_runs_whose_protection_would_be_lost_do_not_go_on_in_the_mesh(
    spec: dict[str, Any], words: str | None
) -> None:
    said = objection(RunSpec(**spec))

    assert said is None if words is None else said is not None and words in said
