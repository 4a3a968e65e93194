"""What a run would be like, before it is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.event_bus import EventBus
from app.federation.runs.book import RunBook
from app.federation.runs.preview import SHOWN_PARTS, preview_of
from app.records import ClientState, Round, RunState
from shared.data.datasets import load_train_labels
from shared.data.partition import partition_indices
from shared.names import DatasetName
from shared.run_spec import RunSpec
from tests.support.records import a_client, a_run

NOWHERE = Path("/nonexistent")
NOBODY = RunBook(EventBus())


def rounds(*seconds: float) -> list[Round]:
    return [
        Round(round=number, complete=True, started_at=1.0, duration_s=duration)
        for number, duration in enumerate(seconds)
    ]


@pytest.mark.parametrize("alpha", [None, 0.1])
def test_the_parts_are_those_that_clients_will_have(alpha: float | None) -> None:
    spec = RunSpec(num_partitions=3, alpha=alpha, seed=7)
    labels = load_train_labels("digits", NOWHERE)

    preview = preview_of(spec, [], NOBODY, NOWHERE)

    assert preview.parts == 3
    for part in range(3):
        of_client = labels[partition_indices(labels, 3, part, alpha=alpha, seed=7)]
        assert preview.label_counts is not None
        assert preview.label_counts[part] == tuple(np.bincount(of_client, minlength=10))


def test_without_a_number_of_parts_there_is_one_for_each_client_that_has_the_data() -> None:
    clients = [
        a_client("a"),
        a_client("b"),
        a_client("c"),
        a_client("gone", state=ClientState.LOST),
        a_client("other", dataset="mnist"),
    ]
    preview = preview_of(RunSpec(min_clients=2), clients, NOBODY, NOWHERE)
    assert (preview.clients, preview.needed, preview.parts) == (3, 2, 3)
    assert preview_of(RunSpec(min_clients=5), clients, NOBODY, NOWHERE).parts == 5


def test_a_data_set_that_is_not_here_is_not_fetched(tmp_path: Path) -> None:
    preview = preview_of(RunSpec(dataset=DatasetName.MNIST), [], NOBODY, tmp_path)
    assert preview.label_counts is None
    assert preview.unknown == "The server does not have mnist yet. It fetches it when a run starts."
    assert list(tmp_path.iterdir()) == []


def test_too_many_parts_are_not_shown_and_that_is_said() -> None:
    many = preview_of(RunSpec(num_partitions=SHOWN_PARTS + 1), [], NOBODY, NOWHERE)
    assert many.unknown == "The labels of more than 1,000 parts are not shown."


def test_time_is_that_of_rounds_with_the_same_work() -> None:
    known = [
        a_run("alike", state=RunState.COMPLETED, round=3, created_at=1.0),
        a_run("more", state=RunState.COMPLETED, round=3, spec=RunSpec(local_epochs=5), created_at=2.0),
        a_run("begun", state=RunState.RUNNING, round=0, created_at=3.0),
    ]
    of_runs = {"alike": rounds(90.0, 1.0, 2.0, 4.0), "more": rounds(0.0, 50.0)}
    book = RunBook(EventBus(), known, lambda run_id: of_runs.get(run_id, []))

    preview = preview_of(RunSpec(num_rounds=99, lr=0.3), [], book, NOWHERE)

    assert preview.round_s == 2.0, "without round 0, which trains nothing"
    assert preview.like == ("alike",)
    assert preview_of(RunSpec(batch_size=1), [], book, NOWHERE).round_s is None


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        ({}, True),
        ({"simulated_clients": 1_000}, False),
        ({"simulated_client_cpus": 2.0}, False),
        ({"min_clients": 5}, True),
        ({"fraction_train": 0.1}, False),
        ({"fraction_evaluate": 0.0}, False),
    ],
)
def test_a_simulation_takes_as_long_as_one_of_as_many_clients(other: dict[str, Any], alike: bool) -> None:
    ten = {"engine": "simulation", "simulated_clients": 10}
    ran = a_run("ten", state=RunState.COMPLETED, round=3, spec=RunSpec.model_validate(ten))
    book = RunBook(EventBus(), [ran], lambda run_id: rounds(0.0, 1.0))

    preview = preview_of(RunSpec.model_validate(ten | other), [], book, NOWHERE)

    assert (preview.like == ("ten",)) is alike
    assert (preview.round_s is not None) is alike


def test_a_round_of_few_clients_is_not_one_of_many_that_share_the_same_data() -> None:
    pair = a_run("pair", state=RunState.COMPLETED, round=3, clients=("a", "b"))
    book = RunBook(EventBus(), [pair], lambda run_id: rounds(0.0, 1.0))

    def like(count: int, **settings: Any) -> tuple[str, ...]:
        clients = [a_client(f"client-{number}") for number in range(count)]
        return preview_of(RunSpec(**settings), clients, book, NOWHERE).like

    assert like(2) == ("pair",)
    assert like(8) == ()
    assert like(8, num_partitions=2) == ("pair",)


def test_of_another_app_nobody_knows_how_it_divides_data() -> None:
    clients = [a_client("a", app="quickstart"), a_client("b")]
    preview = preview_of(RunSpec(app="quickstart"), clients, NOBODY, NOWHERE)
    assert (preview.clients, preview.parts, preview.label_counts) == (1, None, None)
