"""/api/v1/logs: the log of the server and of all clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Literal, TypeVar

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.aside import aside, web_sleep
from app.api.audited import downloaded
from app.api.export import in_slices
from app.api.log_query import LogFilterQuery, settle
from app.api.problems import Problem, asking_store, problem
from app.api.reply import env, reply
from app.auth.roles import Role, needs
from app.exporting.log_lines import json_line, text_line
from app.records import LogCounts, LogEntry, LogFilter
from app.store.logs import LogReader

logs_api = APIBlueprint(
    "logs", __name__, url_prefix="/api/v1/logs", abp_tags=[Tag(name="events", description="Events and logs")]
)

T = TypeVar("T")

BLOCK = 1_000
"""Lines of a file that are read at a time."""

LOG_FILE: dict[str, Any] = {
    "description": "text: a line for each, tracebacks below; jsonl: an object for each",
    "content": {
        "text/plain": {"schema": {"type": "string"}},
        "application/x-ndjson": {"schema": {"type": "string", "format": "binary"}},
    },
}


class LogQuery(LogFilterQuery):
    before: int | None = Field(default=None, ge=1, description="only lines with a lower number")
    after: int | None = Field(
        default=None, ge=0, description="only lines with a higher number, from the oldest on"
    )
    skip: int | None = Field(
        default=None, ge=0, lt=1 << 53, description="from the oldest on, but not the first so many"
    )
    limit: int = Field(default=500, ge=1, le=5_000, description="at most so many, the newest")


class PlaceQuery(LogFilterQuery):
    seq: int = Field(default=0, ge=0, description="a line's number")
    time: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="Unix seconds")


class FileQuery(LogFilterQuery):
    format: Literal["text", "jsonl"] = "text"


class LogList(BaseModel):
    logs: list[LogEntry]


class LogPlace(BaseModel):
    index: int = Field(description="how many of the lines that are looked for are older; good for `skip`")
    entry: LogEntry


@logs_api.get(
    "", summary="Lines of the log, oldest first", responses={200: LogList, 404: Problem, 503: Problem}
)
@needs(Role.VIEWER)
def list_logs(query: LogQuery) -> Response:
    """The newest, unless `after` or `skip` is given."""

    def found(wanted: LogFilter) -> LogList:
        if query.after is None and query.skip is None:
            unwritten = _unwritten(wanted) if query.before is None else []
            kept = _asked(lambda lines: lines.newest(wanted, query.limit, before=query.before))
            return LogList(logs=[*kept, *unwritten][-query.limit :])
        after, skip = query.after or 0, query.skip or 0
        return LogList(logs=_asked(lambda lines: lines.oldest(wanted, query.limit, after=after, skip=skip)))

    return _answered(query, found)


@logs_api.get(
    "/counts",
    summary="How many lines of each kind there are",
    responses={200: LogCounts, 404: Problem, 503: Problem},
)
@needs(Role.VIEWER)
def count_logs(query: LogFilterQuery) -> Response:
    """Of all kinds, whatever `level` and `kind` say."""
    return _answered(query, lambda wanted: _asked(lambda lines: lines.counts(wanted)))


@logs_api.get("/place", summary="Where a line stands", responses={200: LogPlace, 404: Problem, 503: Problem})
@needs(Role.VIEWER)
def find_line(query: PlaceQuery) -> Response:
    """The first line with at least this number and from this time on, or else the last."""
    with asking_store():
        wanted = query.wanted()
        settle()
        place = _asked(lambda lines: lines.place(wanted, seq=query.seq, time=query.time))
    if place is None:
        return problem(HTTPStatus.NOT_FOUND, "The log has no such lines. Look for others.")
    return reply(LogPlace(index=place.index, entry=place.entry))


@logs_api.get("/file", summary="The log as a file", responses={200: LOG_FILE, 404: Problem, 503: Problem})
@needs(Role.VIEWER)
def get_file(query: FileQuery) -> Response:
    """All lines that are looked for, up to this moment, oldest first. The answer is an attachment."""
    with asking_store():
        wanted = query.wanted()
        settle()
        last = _asked(lambda lines: lines.counts(wanted)).last
    line = json_line if query.format == "jsonl" else text_line
    kind = "application/x-ndjson" if query.format == "jsonl" else "text/plain; charset=utf-8"
    written = (line(entry).encode("utf-8", "replace") for entry in _all(env().store.lines, wanted, last))
    downloaded("log")
    response = Response(in_slices(written, web_sleep()), content_type=kind)
    name = f"fedloom-log.{'jsonl' if query.format == 'jsonl' else 'txt'}"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _answered(query: LogFilterQuery, answer: Callable[[LogFilter], BaseModel]) -> Response:
    with asking_store():
        wanted = query.wanted()
        settle()
        return reply(answer(wanted))


def _asked(question: Callable[[LogReader], T]) -> T:
    """What the store answers; that may take longer than the web server's thread has."""
    lines = env().store.lines
    return aside(lambda: question(lines))


def _unwritten(wanted: LogFilter) -> list[LogEntry]:
    """What the database does not have yet, while it fails."""
    written = env().writer.written
    return [entry for entry in env().bus.logs() if entry.seq > written and wanted.passes(entry)]


def _all(lines: LogReader, wanted: LogFilter, last: int) -> Iterator[LogEntry]:
    """All up to number `last`, oldest first."""
    seq = 0
    while block := lines.oldest(wanted, BLOCK, after=seq):
        for entry in block:
            if entry.seq > last:
                return
            yield entry
        seq = block[-1].seq
