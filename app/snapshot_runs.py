"""What a snapshot has of runs and their rounds, of which there may be more than a page can take at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypedDict

from app.batches import SNAPSHOT_PARTS
from app.federation.runs.book import RunBook
from app.federation.runs.states import IDLE_STATES
from app.records import Round, Run, told
from app.store.reader import StoreReader

SNAPSHOT_RUNS = 50
"""So many of the newest runs are in a snapshot, beside the queue; whoever needs others asks REST."""

SNAPSHOT_ROUNDS = 500
"""A run with more rounds, or more clients' parts in them than SNAPSHOT_PARTS, is left out of a snapshot:
whoever needs them asks REST, a piece at a time, since a page stands still while it reads a large message."""


class SnapshotRuns(TypedDict):
    """The fields of a Snapshot that are about runs."""

    runs: tuple[Run, ...]
    total_runs: int
    rounds: dict[str, tuple[Round, ...]]
    newest_rounds: dict[str, Round]


def snapshot_runs(book: RunBook, store: StoreReader, active: str | None) -> SnapshotRuns:
    """As of now. `active`: the id of the active run, if there is one."""
    runs = book.newest_first()
    shown = {run_id for run_id in (runs[0].id if runs else None, active) if run_id}
    rounds = {run_id: book.rounds(run_id) for run_id in shown if _is_at_hand(book, run_id)}
    newest = {run_id: known[-1:] for run_id, known in rounds.items()}
    newest |= {run_id: _newest_round(book, store, run_id) for run_id in shown - rounds.keys()}
    return SnapshotRuns(
        runs=tuple(_newest(runs, active)),
        total_runs=len(runs),
        rounds={run_id: told(known) for run_id, known in rounds.items() if _fit(known)},
        newest_rounds={run_id: known[0].with_spread() for run_id, known in newest.items() if known},
    )


def _is_at_hand(book: RunBook, run_id: str) -> bool:
    """Whether a run's rounds are quickly there: those of a large one are read only when somebody asks."""
    run = book.run(run_id)
    return book.has_loaded(run_id) or run.round * len(run.clients) <= SNAPSHOT_PARTS


def _newest_round(book: RunBook, store: StoreReader, run_id: str) -> list[Round]:
    return store.rounds_at(run_id, [book.run(run_id).round])


def _newest(newest_first: Sequence[Run], active: str | None) -> Iterator[Run]:
    """The newest runs, and of the older ones those that go on or are queued."""
    for place, run in enumerate(newest_first):
        if place < SNAPSHOT_RUNS or run.state not in IDLE_STATES or run.id == active:
            yield run


def _fit(rounds: Sequence[Round]) -> bool:
    return len(rounds) <= SNAPSHOT_ROUNDS and sum(len(each.per_client) for each in rounds) <= SNAPSHOT_PARTS
