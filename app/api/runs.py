"""/api/v1/runs: start, list, look at and stop runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

from flask import Response, url_for
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.audited import commanded
from app.api.problems import Problem, field_invalid, not_found, problem
from app.api.reply import env, reply
from app.auth.roles import Role, needs
from app.federation.runs.states import IDLE_STATES
from app.records import Round, Run
from shared.errors import IllegalTransition, SettingsInvalid, StoreUnavailable
from shared.run_spec import RunSpec

runs_api = APIBlueprint(
    "runs", __name__, url_prefix="/api/v1/runs", abp_tags=[Tag(name="runs", description="Training runs")]
)


FLUSH_S = 1.0
"""How long an answer may wait for the database."""


class RunPath(BaseModel):
    run_id: str = Field(description="a run's id")


class RunList(BaseModel):
    runs: list[Run]


class RoundList(BaseModel):
    rounds: list[Round]


@runs_api.get("", summary="All runs, newest first", responses={200: RunList})
@needs(Role.VIEWER)
def list_runs() -> Response:
    return reply(RunList(runs=env().book.newest_first()))


@runs_api.post("", summary="Queue a run", responses={201: Run, 422: Problem})
@needs(Role.OPERATOR)
def create_run(body: RunSpec) -> Response:
    """It starts when those before it have ended and enough clients are there. All fields have defaults."""
    try:
        run = env().runs.submit(body)
    except SettingsInvalid as error:
        return field_invalid(error.field or ("run_config" if body.run_config else ""), str(error))
    commanded(run.id, "start")
    response = reply(durable(run), HTTPStatus.CREATED)
    response.headers["Location"] = url_for("runs.get_run", run_id=run.id)
    return response


@runs_api.get("/<run_id>", summary="One run", responses={200: Run, 404: Problem})
@needs(Role.VIEWER)
def get_run(path: RunPath) -> Response:
    run = env().book.get(path.run_id)
    return reply(run) if run else no_run(path.run_id)


@runs_api.get("/<run_id>/rounds", summary="A run's complete rounds", responses={200: RoundList, 404: Problem})
@needs(Role.VIEWER)
def get_rounds(path: RunPath) -> Response:
    """Round 0 is the evaluation of the initial model."""
    run = env().book.get(path.run_id)
    if run is None:
        return no_run(path.run_id)
    if run.state not in IDLE_STATES:
        durable(run)
    return reply(RoundList(rounds=[round_ for round_ in env().book.rounds(path.run_id) if round_.complete]))


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


def durable(run: Run) -> Run:
    """The run, once it is on the disk: what was confirmed to somebody survives a power cut.

    While the database fails there is no sense in waiting; the status, and the page, say so.
    """
    with suppress(StoreUnavailable):
        env().writer.flush(0.0 if env().writer.problem else FLUSH_S)
    return run


def _command(run_id: str, name: str, command: Callable[[str], Run]) -> Response:
    """Carry out a command on a run, or say why it does not fit the run's state."""
    if env().book.get(run_id) is None:
        return no_run(run_id)
    try:
        run = command(run_id)
    except IllegalTransition as error:
        return problem(HTTPStatus.CONFLICT, str(error))
    commanded(run_id, name)
    return reply(durable(run))


def no_run(run_id: str) -> Response:
    """404 for a run that does not exist."""
    return not_found(f"There is no run {run_id!r}. GET /api/v1/runs lists those that this server knows.")
