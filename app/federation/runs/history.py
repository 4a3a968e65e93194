"""RunHistory: enters into the audit log what becomes of runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.audit.entry import Kind
from app.audit.log import AuditLog
from app.audit.sense import spec_digest
from app.federation.runs.states import IDLE_STATES
from app.records import Round, Run, RunState
from shared.run_spec import RunSpec


class RunHistory:
    """Told by the run book, which publishes the same change in the same moment."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    @contextmanager
    def run(self, before: Run | None, after: Run) -> Iterator[None]:
        """As History has it; not every change is worth an entry."""
        with self._audit.moment():
            kind = _kind_of(before, after)
            if kind is not None:
                self._audit.record(kind, run=after.id, **_fields(kind, after))
            yield

    @contextmanager
    def round(self, run_id: str, before: Round | None, after: Round) -> Iterator[None]:
        """As History has it: that it is complete."""
        with self._audit.moment():
            if after.complete and (before is None or not before.complete):
                clients = sorted(after.per_client)
                self._audit.record(Kind.ROUND_COMPLETED, run=run_id, round=after.round, clients=clients)
            yield


def _kind_of(before: Run | None, after: Run) -> Kind | None:
    if before is None:
        return Kind.RUN_QUEUED
    if before.state is after.state:
        return None
    if after.state in IDLE_STATES:
        return Kind.RUN_ENDED
    match before.state, after.state:
        case RunState.INTERRUPTED, RunState.QUEUED:
            return Kind.RUN_TAKEN_UP
        case RunState.QUEUED, _:
            return Kind.RUN_STARTED
        case _, RunState.PAUSED:
            return Kind.RUN_PAUSED
        case RunState.PAUSED, _:
            return Kind.RUN_RESUMED
    return None  # it waits, or goes on by itself


def _fields(kind: Kind, run: Run) -> dict[str, Any]:
    match kind:
        case Kind.RUN_QUEUED:
            return _of_spec(run.spec)
        case Kind.RUN_TAKEN_UP:
            return {}
        case Kind.RUN_ENDED:
            return {"round": run.round, "state": run.state, "cause": run.cause, "reason": run.reason}
    return {"round": run.round}


def _of_spec(spec: RunSpec) -> dict[str, Any]:
    fields = spec.model_dump(mode="json")
    return {"spec": fields, "digest": spec_digest(fields)}
