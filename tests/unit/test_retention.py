"""Old runs and checkpoints go, within what the settings keep; what can go on stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.audit.entry import Kind
from app.federation.runs.retention import AT_ONCE, DAY_S, GAP_S, MEGABYTE, Kept, Retention
from app.records import Cause, Run, RunState
from app.settings import ServerSettings, parse
from shared.errors import IllegalTransition, StoreUnavailable
from tests.support.records import a_run

NOW = 1_000 * DAY_S


class Server:
    """Runs, newest first, each with so many checkpoints of 1 MB, of which the first is the best."""

    def __init__(self, runs: list[Run], megabytes: int = 1) -> None:
        self.runs = runs
        self.rounds = {run.id: list(range(1, megabytes + 1)) for run in runs}
        self.entries: list[tuple[Kind, str, str]] = []
        self.fails: dict[str, Exception] = {}
        self.best_is_known = True

    def newest_first(self) -> list[Run]:
        return list(self.runs)

    def delete(self, run_id: str) -> None:
        self._touch(run_id)
        self.runs = [run for run in self.runs if run.id != run_id]
        self.rounds.pop(run_id)

    def bytes_of(self, run_id: str) -> int:
        return len(self.rounds[run_id]) * MEGABYTE

    def prune(self, run_id: str, keep_newest: int, best: int | None) -> None:
        self._touch(run_id)
        rounds = self.rounds[run_id]
        self.rounds[run_id] = [each for each in rounds if each == best or each in rounds[-keep_newest:]]

    def remove(self, run_id: str) -> None:
        self._touch(run_id)
        self.rounds[run_id] = []

    def best(self, _run_id: str) -> int:
        if not self.best_is_known:
            raise StoreUnavailable("away")
        return 1

    def enter(self, kind: Kind, *, run: str, by: str, address: None, state: str = "") -> None:
        self.entries.append((kind, run, by))

    def retention(self, kept: Kept, clock: Callable[[], float] = lambda: NOW) -> Retention:
        return Retention(self.newest_first, self.delete, self, self.best, kept, self.enter, clock)

    def _touch(self, run_id: str) -> None:
        if run_id in self.fails:
            raise self.fails[run_id]

    @property
    def ids(self) -> list[str]:
        return [run.id for run in self.runs]


def ended(run_id: str, days_ago: float = 0.0, state: RunState = RunState.COMPLETED, **changes: object) -> Run:
    return a_run(run_id, state=state, finished_at=NOW - days_ago * DAY_S, **changes)


def test_the_newest_runs_stay_and_the_others_are_deleted() -> None:
    server = Server([ended(f"r{number}") for number in range(5)])

    server.retention(Kept(3)).hold()

    assert server.ids == ["r0", "r1", "r2"]
    why = "the server, which keeps the newest 3 runs"
    assert server.entries == [(Kind.RUN_DELETED, "r4", why), (Kind.RUN_DELETED, "r3", why)]


def test_runs_go_by_their_age_after_their_end() -> None:
    server = Server([ended("new", 1), ended("week", 7.1), ended("old", 90)])

    server.retention(Kept(100, days=7)).hold()

    assert server.ids == ["new"]
    assert {by for _, _, by in server.entries} == {"the server, which keeps runs for 7 days"}


@pytest.mark.parametrize(
    "run",
    [
        a_run("r", state=RunState.QUEUED),
        a_run("r", state=RunState.WAITING),
        a_run("r", state=RunState.RUNNING),
        a_run("r", state=RunState.PAUSED),
        ended("r", 900, RunState.INTERRUPTED, can_resume=True),
        ended("r", 900, RunState.FAILED, cause=Cause.RECORD),
    ],
    ids=lambda run: f"{run.state}-{run.cause}",
)
def test_what_can_go_on_or_cannot_be_read_stays_whatever_its_age(run: Run) -> None:
    server = Server([run])

    server.retention(Kept(0, days=1, megabytes=0)).hold()

    assert server.ids == ["r"]
    assert server.rounds == {"r": [1]}
    assert server.entries == []


def test_a_run_of_an_app_that_cannot_go_on_goes_like_one_that_has_ended() -> None:
    server = Server([ended("r", 9, RunState.INTERRUPTED, can_resume=False)])

    server.retention(Kept(100, days=7)).hold()

    assert server.ids == []


def test_each_run_keeps_its_newest_and_best_checkpoint_as_long_as_the_rest_fits() -> None:
    server = Server([ended("new"), ended("middle"), ended("old")], megabytes=4)

    server.retention(Kept(100, megabytes=10)).hold()

    assert server.rounds == {"new": [1, 2, 3, 4], "middle": [1, 2, 3, 4], "old": [1, 4]}
    why = "the server, which keeps 10 MB of checkpoints; the newest and the best of the run stay"
    assert server.entries == [(Kind.CHECKPOINTS_DELETED, "old", why)]


def test_then_checkpoints_go_of_the_oldest_runs_until_the_rest_fits_and_the_runs_stay() -> None:
    server = Server([ended("new"), ended("middle"), ended("old")], megabytes=4)

    server.retention(Kept(100, megabytes=6)).hold()

    assert server.ids == ["new", "middle", "old"]
    assert server.rounds == {"new": [1, 2, 3, 4], "middle": [1, 4], "old": []}
    assert server.entries[-1] == (
        Kind.CHECKPOINTS_DELETED,
        "old",
        "the server, which keeps 6 MB of checkpoints",
    )
    assert [run for _, run, _ in server.entries] == ["old", "middle", "old"]


def test_by_default_the_newest_and_the_best_model_of_each_run_stay_whatever_they_take() -> None:
    kept = replace(parse([]).keep, megabytes=1)
    server = Server([ended("new"), ended("middle"), ended("old", 9_999)], megabytes=4)

    server.retention(kept).hold()

    assert server.rounds == {"new": [1, 2, 3, 4], "middle": [1, 4], "old": [1, 4]}


def test_a_size_bounds_what_is_kept_also_where_none_is_given() -> None:
    assert parse([]).keep == ServerSettings().keep == Kept(10_000, None, 10_000, spares_best=True)
    assert parse(["--keep-days", "90"]).keep == Kept(10_000, 90, 10_000, spares_best=True)
    assert parse(["--keep-megabytes", "500"]).keep == Kept(10_000, None, 500)


def test_the_models_of_the_run_that_ended_last_stay_whatever_they_take() -> None:
    """One that failed before its first round has none, and takes nobody's place."""
    runs = [
        ended("failed", 0.5, RunState.FAILED),
        ended("queued later", 2),
        ended("last", 1),
        ended("old", 3),
    ]
    server = Server(runs, megabytes=4)
    server.rounds["failed"] = []

    server.retention(Kept(100, megabytes=0)).hold()

    assert server.rounds == {"failed": [], "queued later": [], "last": [1, 2, 3, 4], "old": []}


def test_while_the_best_round_is_not_known_no_checkpoint_goes() -> None:
    server, now = Server([ended("new"), ended("old")], megabytes=4), [NOW]
    server.best_is_known = False
    retention = server.retention(Kept(100, megabytes=6), lambda: now[0])

    retention.hold()
    assert server.rounds["old"] == [1, 2, 3, 4]

    server.best_is_known = True
    now[0] += GAP_S
    retention.hold()
    assert server.rounds["old"] == [1, 4]


def test_checkpoints_that_cannot_be_deleted_are_said_once_and_hold_up_no_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server, now = Server([ended(name) for name in ("new", "c", "b", "a")], megabytes=4), [NOW]
    server.fails = {"b": StoreUnavailable("Permission denied.")}
    retention = server.retention(Kept(100, megabytes=6), lambda: now[0])

    for _ in range(3):
        retention.hold()
        now[0] += GAP_S

    assert server.rounds == {"new": [1, 2, 3, 4], "c": [1, 4], "b": [1, 2, 3, 4], "a": []}
    (said,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert "run b or its checkpoints are to be deleted, and cannot be: Permission denied." in said

    server.fails = {}
    retention.hold()
    assert server.rounds == {"new": [1, 2, 3, 4], "c": [1, 4], "b": [], "a": []}


def test_runs_that_cannot_be_deleted_are_said_once_and_hold_up_no_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stuck = [f"s{number}" for number in range(AT_ONCE)]
    server, now = Server([ended(name) for name in ("new", "a", *stuck)]), [NOW]
    server.fails = dict.fromkeys(stuck, StoreUnavailable("Permission denied."))
    retention = server.retention(Kept(1), lambda: now[0])

    for _ in range(3):
        retention.hold()
        now[0] += GAP_S

    assert server.ids == ["new", *stuck]
    assert sum(record.levelname == "WARNING" for record in caplog.records) == len(stuck)


def test_it_looks_once_a_minute_and_forgets_few_at_once() -> None:
    server, now = Server([ended(f"r{number}") for number in range(3 * AT_ONCE)]), [NOW]
    retention = server.retention(Kept(1), lambda: now[0])

    retention.hold()
    retention.hold()
    assert len(server.runs) == 2 * AT_ONCE

    now[0] += GAP_S
    retention.hold()
    assert len(server.runs) == AT_ONCE


def test_what_cannot_be_deleted_now_is_tried_again() -> None:
    server, now = Server([ended("new"), ended("a"), ended("b")]), [NOW]
    server.fails = {"b": StoreUnavailable("full"), "a": IllegalTransition("somebody was faster")}
    retention = server.retention(Kept(1), lambda: now[0])

    retention.hold()
    assert (server.ids, server.entries) == (["new", "a", "b"], [])

    server.fails = {}
    now[0] += GAP_S
    retention.hold()
    assert server.ids == ["new"]
