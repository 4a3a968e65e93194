"""/api/v1/runs: start, look at and stop runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

from flask import Response, abort, url_for
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.aside import aside
from app.api.audited import commanded
from app.api.problems import Problem, field_invalid, not_found, problem
from app.api.reply import env, reply
from app.auth.roles import Role, needs
from app.federation.runs.preview import Preview, preview_of
from app.records import Phase, Run
from shared.errors import IllegalTransition, SettingsInvalid, StoreUnavailable
from shared.run_spec import RunSpec

runs_api = APIBlueprint(
    "runs", __name__, url_prefix="/api/v1/runs", abp_tags=[Tag(name="runs", description="Training runs")]
)


FLUSH_S = 1.0
"""How long an answer may wait for the database."""


class RunPath(BaseModel):
    run_id: str = Field(description="a run's id")


class GoOn(BaseModel):
    """What is meant, so that a word that comes late does not end what came after."""

    round: int = Field(description="the run's round, as it was shown")
    phase: Phase = Field(description="the phase of the round: the run's `progress.phase`, as it was shown")


@runs_api.post("", summary="Queue a run", responses={201: Run, 422: Problem})
@needs(Role.OPERATOR)
def create_run(body: RunSpec) -> Response:
    """It starts when those before it have ended and enough clients are there. All fields have defaults."""
    try:
        run = env().runs.submit(body)
    except SettingsInvalid as error:
        return _unfit(body, error)
    commanded(run.id, "start")
    response = reply(durable(run), HTTPStatus.CREATED)
    response.headers["Location"] = url_for("runs.get_run", run_id=run.id)
    return response


@runs_api.post("/preview", summary="What a run would be like", responses={200: Preview, 422: Problem})
@needs(Role.OPERATOR)
def preview_run(body: RunSpec) -> Response:
    """Nothing is started. It is refused as the run would be."""
    try:
        spec = env().runs.fitted(body)
    except SettingsInvalid as error:
        return _unfit(body, error)
    clients, book, data_dir = env().registry.snapshot(), env().book, env().settings.data_dir
    return reply(aside(lambda: preview_of(spec, clients, book, data_dir)))


@runs_api.get("/<run_id>", summary="One run", responses={200: Run, 404: Problem})
@needs(Role.VIEWER)
def get_run(path: RunPath) -> Response:
    return reply(run_of(path.run_id))


@runs_api.post("/<run_id>/stop", summary="Stop a run", responses={200: Run, 404: Problem, 409: Problem})
@needs(Role.OPERATOR)
def stop_run(path: RunPath) -> Response:
    """The current round is given up, the rounds before it stand. The answer may still say "running"."""
    return _command(path.run_id, "stop", env().runs.stop)


@runs_api.post("/<run_id>/pause", summary="Pause a run", responses={200: Run, 404: Problem, 409: Problem})
@needs(Role.OPERATOR)
def pause_run(path: RunPath) -> Response:
    """No further message goes out, and clients of the built-in app wait between two batches.

    The run's deadlines stand still meanwhile. The answer may still say "running".
    """
    return _command(path.run_id, "pause", env().runs.pause)


@runs_api.post("/<run_id>/resume", summary="Resume a run", responses={200: Run, 404: Problem, 409: Problem})
@needs(Role.OPERATOR)
def resume_run(path: RunPath) -> Response:
    """A paused run goes on. An interrupted one that `can_resume` is queued, and goes on in the round that was
    cut. A run that waits to try a round again does so now."""
    return _command(path.run_id, "resume", env().runs.resume)


@runs_api.post(
    "/<run_id>/go-on",
    summary="Go on without who is missing",
    responses={200: Run, 404: Problem, 409: Problem, 422: Problem},
)
@needs(Role.OPERATOR)
def go_on(path: RunPath, body: GoOn) -> Response:
    """The round takes what has come, as at its deadline, and gives up the replies that are missing. Their
    clients are late. Refused while strategy or secure aggregation need more."""
    return _command(path.run_id, "go-on", lambda run_id: env().runs.go_on(run_id, body.round, body.phase))


def _unfit(body: RunSpec, error: SettingsInvalid) -> Response:
    """422 for a run whose values do not fit each other, or the server's app."""
    return field_invalid(error.field or ("run_config" if body.run_config else ""), str(error))


def durable(run: Run) -> Run:
    """The run, once it is on the disk: what was confirmed to somebody survives a power cut."""
    settled()
    return run


def settled() -> None:
    """Return once all that has happened is on the disk.

    While the database fails there is no sense in waiting; the status, and the page, say so.
    """
    with suppress(StoreUnavailable):
        env().writer.flush(0.0 if env().writer.problem else FLUSH_S)


def _command(run_id: str, name: str, command: Callable[[str], Run]) -> Response:
    """Carry out a command on a run, or say why it does not fit the run's state."""
    try:
        run = command(run_of(run_id).id)
    except IllegalTransition as error:
        return problem(HTTPStatus.CONFLICT, str(error))
    commanded(run_id, name)
    return reply(durable(run))


def run_of(run_id: str) -> Run:
    """The run with this id. For one that does not exist the request ends, with 404."""
    run = env().book.get(run_id)
    if run is None:
        abort(not_found(f"There is no run {run_id!r}. GET /api/v1/runs lists those that this server knows."))
    return run
