"""The blueprint of the calls that `flwr run`, `list`, `log` and `stop` make, and words for all others.

An answer that is an error is a problem (RFC 9457) as everywhere; the command prints its `detail`.
"""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from typing import TypeVar

from flask import Blueprint, Response, abort, request
from google.protobuf.message import DecodeError, Message
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from app.api.access import current, while_admitted
from app.api.aside import aside, web_sleep
from app.api.audited import commanded
from app.api.problems import invalid, not_found, problem
from app.api.reply import UNBUFFERED, env
from app.api.runs import durable
from app.auth.roles import Role, needs
from app.flower_control.log_stream import stream_log
from app.flower_control.not_here import not_here
from app.flower_control.runs import as_flower_has_it, find, isoformat, number_of
from app.flower_control.start_run import spec_of
from app.records import Run
from shared.errors import AppInvalid, IllegalTransition, SettingsInvalid
from shared.flower_control import (
    FAB_MAX_SIZE,
    PREFIX,
    PROTOBUF_MEDIA_TYPE,
    PROTOBUF_STREAM_MEDIA_TYPE,
    ListRunsRequest,
    ListRunsResponse,
    StartRunRequest,
    StartRunResponse,
    StopRunRequest,
    StopRunResponse,
    StreamLogsRequest,
    in_frame,
)

MAX_CALL = FAB_MAX_SIZE + (1 << 20)
"""Bytes of a call that brings an app, with all that is around the app."""

AT_ONCE = 4
"""So many apps are taken in at a time, each with its bytes in memory."""

LISTED = 20
"""So many runs are listed, as Flower has it, where the command does not say how many."""

M = TypeVar("M", bound=Message)


def create_control_api() -> Blueprint:
    """The blueprint; it needs the server's Environment and Socket.IO in the app's extensions."""
    control = Blueprint("flower_control", __name__, url_prefix=PREFIX)
    taken_in = threading.BoundedSemaphore(AT_ONCE)
    control.register_error_handler(HTTPException, _as_problem)
    control.before_request(_require_protobuf)

    @control.post("/start-run")
    @needs(Role.OPERATOR)
    def start_run() -> Response:
        if not taken_in.acquire(blocking=False):
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "Too many runs are started at once. Try again.")
        try:
            return _start_run()
        finally:
            taken_in.release()

    control.add_url_rule("/list-runs", view_func=list_runs, methods=["POST"])
    control.add_url_rule("/stop-run", view_func=stop_run, methods=["POST"])
    control.add_url_rule("/stream-logs", view_func=stream_logs, methods=["POST"])
    control.add_url_rule("/<path:call>", view_func=anything_else, methods=["GET", "POST"])
    return control


def _start_run() -> Response:
    request.max_content_length = MAX_CALL
    asked = _read(StartRunRequest)
    server = env()
    try:
        spec = aside(lambda: spec_of(asked, server.settings))
        run = server.runs.submit(spec)
    except ValidationError as error:
        return invalid(error)
    except (AppInvalid, SettingsInvalid) as error:
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    commanded(run.id, "start")
    durable(run)
    note = f"on FedLoom's page, {request.host_url}, it is run {run.id}."
    return _answer(StartRunResponse(run_id=number_of(run), note=note))


@needs(Role.OPERATOR)
def list_runs() -> Response:
    """`flwr list`: the newest runs, or one."""
    asked = _read(ListRunsRequest)
    server = env()
    if asked.HasField("run_id"):
        runs = [_found(asked.run_id)]
    else:
        limit = asked.limit if asked.HasField("limit") else LISTED
        runs = server.book.newest_first()[asked.skip :][:limit]
    return _answer(
        ListRunsResponse(
            run_dict={number_of(run): as_flower_has_it(run, server) for run in runs},
            now=isoformat(time.time()),
        )
    )


@needs(Role.OPERATOR)
def stop_run() -> Response:
    """`flwr stop`: the run is told to, and does so soon."""
    run = _found(_read(StopRunRequest).run_id)
    try:
        stopping = env().runs.stop(run.id)
    except IllegalTransition as error:
        return problem(HTTPStatus.CONFLICT, str(error))
    commanded(run.id, "stop")
    durable(stopping)
    return _answer(StopRunResponse(success=True))


@needs(Role.OPERATOR)
def stream_logs() -> Response:
    """`flwr log`, and `flwr run --stream`: the answer lasts until the run has ended."""
    asked = _read(StreamLogsRequest)
    run = _found(asked.run_id)
    messages = stream_log(env(), run, asked.after_timestamp, web_sleep())
    admitted = while_admitted(env().auth.accounts, current(), messages)
    response = Response((in_frame(message) for message in admitted), content_type=PROTOBUF_STREAM_MEDIA_TYPE)
    response.headers.set(*UNBUFFERED)
    return response


@needs(Role.OPERATOR)
def anything_else(call: str) -> Response:
    """Whatever else Flower's commands ask for."""
    return problem(HTTPStatus.NOT_IMPLEMENTED, not_here(call, env().status()))


def _require_protobuf() -> None:
    """End a call that is none of Flower's. No page of a browser can send this type unasked."""
    if request.mimetype != PROTOBUF_MEDIA_TYPE or "Content-Encoding" in request.headers:
        said = f"Flower's commands send {PROTOBUF_MEDIA_TYPE}, uncompressed. REST is below /api/v1."
        abort(problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, said))
    if "Transfer-Encoding" in request.headers:  # a body that does not say how long it is
        abort(problem(HTTPStatus.LENGTH_REQUIRED, HTTPStatus.LENGTH_REQUIRED.description))


def _read(kind: type[M]) -> M:
    """The request's message. Ends the request with a problem if there is none."""
    message = kind()
    try:
        message.ParseFromString(request.get_data(cache=False))
    except DecodeError:
        abort(problem(HTTPStatus.BAD_REQUEST, f"The body is no {kind.__name__} of Flower's control API."))
    except OSError as error:  # it stopped in the middle
        abort(problem(HTTPStatus.BAD_REQUEST, f"The body could not be read to its end: {error}."))
    return message


def _found(number: int) -> Run:
    """The run with an id as Flower has it. Ends the request with a problem if there is none."""
    run = find(env().book, number)
    if run is None:
        abort(not_found(f"There is no run {number} here. `flwr list` shows those that this server knows."))
    return run


def _answer(message: Message) -> Response:
    return Response(message.SerializeToString(), content_type=PROTOBUF_MEDIA_TYPE)


def _as_problem(error: HTTPException) -> Response | HTTPException:
    """Those that Flask raises by itself, as `app/api/problems.py` has them for REST."""
    if error.response is not None:
        return error
    return problem(error.code or HTTPStatus.INTERNAL_SERVER_ERROR, error.description or error.name)
