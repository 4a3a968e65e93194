"""What a snapshot has of a run's rounds: all, or the newest alone, and never a part as if it were all."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.event_bus import EventBus
from app.federation.runs.book import RunBook
from app.snapshot_runs import SnapshotRuns, snapshot_runs
from app.store.store import Store
from app.store.urls import default_url
from bench.crowd_run import CROWD_RUN, fill

ROUNDS = 300


@pytest.mark.parametrize(("clients", "are_all"), [(8, True), (9, False)])
def test_after_a_restart_a_run_has_all_its_rounds_or_is_left_to_be_asked_for(
    tmp_path: Path, clients: int, are_all: bool
) -> None:
    snapshot = _after_a_restart(tmp_path, clients)

    expected = {CROWD_RUN: list(range(1, ROUNDS + 1))} if are_all else {}
    assert {run: [each.round for each in rounds] for run, rounds in snapshot["rounds"].items()} == expected
    assert {run: each.round for run, each in snapshot["newest_rounds"].items()} == {CROWD_RUN: ROUNDS}


def test_once_somebody_has_asked_for_a_large_run_it_is_still_left_out(tmp_path: Path) -> None:
    snapshot = _after_a_restart(tmp_path, 9, has_been_asked=True)

    assert snapshot["rounds"] == {}
    assert snapshot["newest_rounds"][CROWD_RUN].round == ROUNDS


def _after_a_restart(home: Path, clients: int, *, has_been_asked: bool = False) -> SnapshotRuns:
    fill(home, clients, ROUNDS)
    with Store.open(default_url(home)) as store:
        book = RunBook(EventBus(), reversed(store.runs()), store.rounds)
        if has_been_asked:
            book.rounds(CROWD_RUN)
        return snapshot_runs(book, store, None)
