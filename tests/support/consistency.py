"""What must be true of a store and its checkpoints after whatever has happened."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from app.federation.runs.states import FINAL_STATES
from app.records import Round, Run, RunState
from app.store.checkpoints import CheckpointStore
from app.store.reader import StoreReader
from app.store.urls import FILE_NAME, default_url
from tests.support.waiting import wait_until

AT_REST = FINAL_STATES | {RunState.INTERRUPTED, RunState.QUEUED, RunState.PAUSED}


def require_consistent(home: Path, *, ended_in_order: bool = True) -> None:
    """Fail unless the store of a server that has ended is sound in itself.

    `ended_in_order`: not by SIGKILL, after which a run may look as if it went on, and files be half-written.
    """
    _require_sound(home / FILE_NAME)
    if ended_in_order:
        left = [*(home / "checkpoints").rglob("*.tmp*"), *(home / "spool").glob("*")]
        assert left == [], "nothing unfinished lies around"
    checkpoints = CheckpointStore(home / "checkpoints")
    with StoreReader.open_to_read(default_url(home)) as store:
        known = {client.id for client in store.clients()}
        for run in store.runs():
            rounds = store.rounds(run.id)
            assert run.state in AT_REST or not ended_in_order, run
            _require_rounds(run, rounds)
            assert {client_id for round_ in rounds for client_id in round_.per_client} <= known
            _require_checkpoints(run, checkpoints)


def _require_sound(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def _require_rounds(run: Run, rounds: list[Round]) -> None:
    """No gap, and at most the last is not complete; a run that is completed has all of them."""
    first = 0 if run.spec.app is None else 1
    assert [round_.round for round_ in rounds] == list(range(first, first + len(rounds)))
    assert all(round_.complete for round_ in rounds[:-1])
    assert all(round_.clients <= len(round_.per_client) for round_ in rounds)
    if run.state is not RunState.COMPLETED:
        return
    assert rounds[-1].complete
    assert run.num_rounds in (rounds[-1].round, None)
    assert (run.round, run.reason, run.error) == (rounds[-1].round, None, None)
    assert run.started_at is not None
    assert run.finished_at is not None
    assert run.created_at <= run.started_at <= run.finished_at
    if run.spec.app is None:
        assert run.final is not None
        assert (run.final.accuracy, run.final.loss) == (rounds[-1].accuracy, rounds[-1].loss)


def _require_checkpoints(run: Run, checkpoints: CheckpointStore) -> None:
    """Each that is listed can be loaded, there are no more than wanted, the newest is of the last round."""
    listed = [info.round for info in checkpoints.list(run.id)]
    for number in listed:
        assert checkpoints.load(run.id, number).round == number
    if run.state is RunState.COMPLETED and run.spec.app is None:
        assert listed[-1] == run.num_rounds
        assert len(listed) <= run.spec.keep_checkpoints + 1


def wait_until_kept(home: Path, condition: Callable[[StoreReader], bool], what: str) -> None:
    """What REST tells comes into the store a moment later; the page waits for that."""
    with StoreReader.open_to_read(default_url(home)) as store:
        wait_until(lambda: condition(store), f"the store has that {what}")
