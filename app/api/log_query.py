"""What a request for lines of the log looks for, and the run's time in which it may look."""

from __future__ import annotations

from contextlib import suppress

from pydantic import BaseModel, Field

from app.api.reply import env
from app.api.runs import run_of
from app.records import LOG_LEVELS, LogFilter, LogKind, LogLevel, Run, RunPeriod
from shared.errors import StoreUnavailable

FLUSH_S = 0.5
"""How long a request waits at most for what is being written."""

MAX_TEXT = 200


class LogFilterQuery(BaseModel):
    level: LogLevel = Field(default="debug", description="this level and those above it")
    kind: list[LogKind] = Field(
        default=[],
        description="only these levels; what a Flower app printed is `printed`, and not `info`. Goes before "
        "`level`",
    )
    source: str | None = Field(default=None, description='only from "server" or from one client')
    run: str | None = Field(
        default=None, description="only of this run, and of no run while it went on: a run's id"
    )
    q: str = Field(
        default="",
        max_length=MAX_TEXT,
        description="only with this in the message, the traceback or the logger's name, in capitals or not "
        "(in SQLite those of ASCII)",
    )
    since: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="only from after this time: Unix seconds"
    )

    def wanted(self) -> LogFilter:
        """For a run that does not exist the request ends, with 404."""
        return LogFilter(
            kinds=frozenset(self.kind) or _from_level_up(self.level),
            source=self.source,
            run=None if self.run is None else period_of(run_of(self.run)),
            text=self.q,
            since=self.since,
        )


def settle() -> None:
    """Wait until what has happened is kept; while nothing can be kept there is no sense in that."""
    with suppress(StoreUnavailable):
        env().writer.flush(0.0 if env().writer.problem else FLUSH_S)


def period_of(run: Run) -> RunPeriod:
    """From when to when what belongs to no run is shown with this one. The newest has what happened since the
    server started, if that was before it was created, and what happens until now."""
    if run.id == env().book.newest_first()[0].id:
        return RunPeriod(run.id, min(run.created_at, env().started_at), None)
    return RunPeriod(run.id, run.created_at, run.finished_at)


def _from_level_up(level: LogLevel) -> frozenset[LogKind]:
    if level == LOG_LEVELS[0]:
        return frozenset()
    levels: set[LogKind] = {*LOG_LEVELS[LOG_LEVELS.index(level) :]}
    return frozenset(levels | {"printed"} if "info" in levels else levels)
