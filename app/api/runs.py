"""/api/v1/runs: start, list, look at and stop runs."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, url_for
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.problems import Problem, field_invalid, not_found, problem
from app.api.reply import env, reply
from app.federation.spec import RunSpec
from app.federation.states import FINAL_STATES
from app.records import Round, Run
from shared.errors import SettingsInvalid

runs_api = APIBlueprint(
    "runs", __name__, url_prefix="/api/v1/runs", abp_tags=[Tag(name="runs", description="Training runs")]
)


class RunPath(BaseModel):
    run_id: str = Field(description="a run's id")


class RunList(BaseModel):
    runs: list[Run]


class RoundList(BaseModel):
    rounds: list[Round]


@runs_api.get("", summary="All runs, newest first", responses={200: RunList})
def list_runs() -> Response:
    return reply(RunList(runs=env().book.newest_first()))


@runs_api.post("", summary="Queue a run", responses={201: Run, 422: Problem})
def create_run(body: RunSpec) -> Response:
    """It starts when those before it have ended and enough clients are there. All fields have defaults."""
    try:
        run = env().runs.submit(body)
    except SettingsInvalid as error:
        return field_invalid("strategy_params", str(error))
    response = reply(run, HTTPStatus.CREATED)
    response.headers["Location"] = url_for("runs.get_run", run_id=run.id)
    return response


@runs_api.get("/<run_id>", summary="One run", responses={200: Run, 404: Problem})
def get_run(path: RunPath) -> Response:
    run = env().book.get(path.run_id)
    return reply(run) if run else _no_run(path.run_id)


@runs_api.get("/<run_id>/rounds", summary="A run's complete rounds", responses={200: RoundList, 404: Problem})
def get_rounds(path: RunPath) -> Response:
    """Round 0 is the evaluation of the initial model."""
    if env().book.get(path.run_id) is None:
        return _no_run(path.run_id)
    return reply(RoundList(rounds=[round_ for round_ in env().book.rounds(path.run_id) if round_.complete]))


@runs_api.post("/<run_id>/stop", summary="Stop a run", responses={200: Run, 404: Problem, 409: Problem})
def stop_run(path: RunPath) -> Response:
    """The current round is given up, the rounds before it stand. The answer may still say "running"."""
    run = env().book.get(path.run_id)
    if run is None:
        return _no_run(path.run_id)
    if run.state in FINAL_STATES:
        return problem(HTTPStatus.CONFLICT, f"Run {run.id} cannot be stopped: it is {run.state} already.")
    return reply(env().runs.stop(run.id))


def _no_run(run_id: str) -> Response:
    return not_found(f"There is no run {run_id!r}. GET /api/v1/runs lists those that this server knows.")
