"""Runs as `flwr list` shows them, and their ids, which are text here and numbers there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from app.environment import Environment
from app.federation.runs.book import RunBook
from app.records import Run, RunState
from shared.flower_control import RunProto, RunStatusProto, Status, SubStatus
from shared.version import __version__

BUILT_IN = "fedloom"

STATUS: Mapping[RunState, tuple[str, str]] = MappingProxyType(
    {
        RunState.QUEUED: (Status.PENDING, ""),
        RunState.WAITING: (Status.STARTING, ""),
        RunState.RUNNING: (Status.RUNNING, ""),
        RunState.PAUSED: (Status.RUNNING, ""),
        RunState.COMPLETED: (Status.FINISHED, SubStatus.COMPLETED),
        RunState.STOPPED: (Status.FINISHED, SubStatus.STOPPED),
        RunState.FAILED: (Status.FINISHED, SubStatus.FAILED),
        # as Flower has a run whose SuperLink ended; what FedLoom knows beyond that is in the details
        RunState.INTERRUPTED: (Status.FINISHED, SubStatus.FAILED),
    }
)
"""Flower's status and sub-status of a run in each of FedLoom's states."""


def number_of(run: Run) -> int:
    """A run's id as Flower has it."""
    return int(run.id, 16)


def find(book: RunBook, number: int) -> Run | None:
    """The run with an id as Flower has it."""
    return book.get(f"{number:08x}")


def as_flower_has_it(run: Run, env: Environment) -> RunProto:
    """A run for `flwr list`."""
    status, sub_status = STATUS[run.state]
    version, digest = _version_and_digest(run, env)
    return RunProto(
        run_id=number_of(run),
        fab_id=run.spec.app or BUILT_IN,
        fab_version=version,
        fab_hash=digest,
        pending_at=isoformat(run.created_at),
        starting_at="" if run.started_at is None else isoformat(run.started_at),
        running_at="" if run.started_at is None else isoformat(run.started_at),
        finished_at="" if run.finished_at is None else isoformat(run.finished_at),
        status=RunStatusProto(status=status, sub_status=sub_status, details=_details(run)),
    )


def isoformat(at: float) -> str:
    """A time as Flower writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat()


def _details(run: Run) -> str:
    """FedLoom's own state, where Flower has no word for it, and why."""
    state = str(run.state) if run.state in (RunState.PAUSED, RunState.INTERRUPTED) else ""
    return ": ".join(filter(None, (f"run {run.id}", state, run.reason)))


def _version_and_digest(run: Run, env: Environment) -> tuple[str, str]:
    """Of the app as it is here now, if that is what the run was carried out with, or will be."""
    app = env.settings.app
    is_of_before = run.finished_at is not None and run.finished_at < env.started_at
    if is_of_before or run.spec.app != (app.name if app is not None else None):
        return "unknown", ""
    return (__version__, "") if app is None else (app.version, app.digest)
