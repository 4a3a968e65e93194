"""/api/v1/runs/compare: several runs beside each other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.audited import downloaded
from app.api.problems import Problem, asking_store, field_invalid, not_found
from app.api.reply import env, reply
from app.api.run_ids import ids_in
from app.api.runs import settled
from app.auth.roles import Role, needs
from app.exporting.outcome import Outcome, accuracy_of, elapsed_s, loss_of, outcome
from app.exporting.report.pages import Compared, comparison_report
from app.exporting.settings import Setting, differing
from app.federation.runs.states import IDLE_STATES
from app.records import Round, Run

comparison_api = APIBlueprint(
    "comparison",
    __name__,
    url_prefix="/api/v1/runs/compare",
    abp_tags=[Tag(name="runs", description="Training runs")],
)

MOST_RUNS = 20
MOST_POINTS = 500
"""Of a curve; a page is no wider."""


class ComparisonQuery(BaseModel):
    ids: str = Field(
        min_length=1,
        max_length=2_000,
        description=f"ids of up to {MOST_RUNS} runs, with commas between them",
    )
    baseline: str | None = Field(
        default=None, description="the run to which the others' differences are; without it the first"
    )


class RunCurves(BaseModel):
    """Values by round. Accuracy and loss are the global model's, or where nobody evaluates that, the clients'
    mean. A number of another Flower app is called `stage/name`."""

    rounds: list[int]
    elapsed_s: list[float | None] = Field(description="from the run's start to the end of each round")
    values: dict[str, list[float | None]] = Field(description="by metric, one for each of `rounds`")


class ComparedRun(BaseModel):
    run: Run
    outcome: Outcome
    curves: RunCurves


class Comparison(BaseModel):
    baseline: str
    runs: list[ComparedRun] = Field(description="in the order in which they were asked for")
    missing: list[str] = Field(description="ids that were asked for and are of no run")
    differing: list[Setting] = Field(description="settings that are not the same in all of them")


@comparison_api.get(
    "", summary="Several runs compared", responses={200: Comparison, 404: Problem, 422: Problem, 503: Problem}
)
@needs(Role.VIEWER)
def compare(query: ComparisonQuery) -> Response:
    """Settings in which they differ, what came of them, and their curves, thinned to what can be drawn."""
    chosen = _chosen(query)
    if isinstance(chosen, Response):
        return chosen
    return reply(
        Comparison(
            baseline=chosen.baseline,
            runs=[
                ComparedRun(run=each.run, outcome=each.outcome, curves=curves_of(each.run, each.rounds))
                for each in chosen.runs
            ],
            missing=chosen.missing,
            differing=differing([each.run for each in chosen.runs]),
        )
    )


@comparison_api.get(
    "/export",
    summary="A comparison as one HTML file",
    responses={
        200: {"content": {"text/html": {"schema": {"type": "string"}}}},
        404: Problem,
        422: Problem,
        503: Problem,
    },
)
@needs(Role.VIEWER)
def export_comparison(query: ComparisonQuery) -> Response:
    """It opens without a server. The answer is an attachment."""
    chosen = _chosen(query)
    if isinstance(chosen, Response):
        return chosen
    for each in chosen.runs:
        downloaded("run", run=each.run.id, format="html")
    file = comparison_report(chosen.runs, chosen.baseline)
    response = Response(b"".join(file.content), content_type="text/html; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=f"fedloom-{file.path}")
    return response


@dataclass(frozen=True)
class Chosen:
    """What is compared. `baseline` is the id of one of the runs."""

    runs: Sequence[Compared]
    missing: list[str]
    baseline: str


def _chosen(query: ComparisonQuery) -> Chosen | Response:
    """The runs that a query names, or the answer that says why there is none."""
    ids = ids_in(query.ids)
    if len(ids) > MOST_RUNS:
        return field_invalid(
            "ids", f"These are {len(ids)} runs; up to {MOST_RUNS} can be told apart in one chart."
        )
    runs = [run for run_id in ids if (run := env().book.get(run_id)) is not None]
    if not runs:
        return not_found("None of these runs is here. GET /api/v1/runs lists those that are.")
    if any(run.state not in IDLE_STATES for run in runs):
        settled()
    summaries = env().store.summaries
    found = [run.id for run in runs]
    with asking_store():
        rounds, received = summaries.rounds(found), summaries.received(found)
    now = time.time()
    compared = [
        Compared(run, rounds[run.id], outcome(run, rounds[run.id], received.get(run.id), now)) for run in runs
    ]
    baseline = query.baseline if query.baseline in found else found[0]
    return Chosen(compared, [run_id for run_id in ids if run_id not in found], baseline)


def curves_of(run: Run, rounds: Sequence[Round]) -> RunCurves:
    """The curves of a run. Of very many rounds only every n-th is there, and always the last."""
    step = math.ceil(len(rounds) / MOST_POINTS) or 1
    drawn = rounds[::-1][::step][::-1]
    known: dict[str, Callable[[Round], float | None]] = {
        "accuracy": accuracy_of,
        "loss": loss_of,
        "train_loss": lambda round_: round_.train_loss,
        "epsilon": lambda round_: round_.epsilon,
        "duration_s": lambda round_: round_.duration_s,
    }
    values = {name: [value_of(round_) for round_ in drawn] for name, value_of in known.items()}
    for stage, name in sorted({pair for round_ in drawn for pair in _numbers(round_)}):
        values[f"{stage}/{name}"] = [round_.metrics.get(stage, {}).get(name) for round_ in drawn]
    return RunCurves(
        rounds=[round_.round for round_ in drawn],
        elapsed_s=[elapsed_s(run, round_) for round_ in drawn],
        values={name: each for name, each in values.items() if any(value is not None for value in each)},
    )


def _numbers(round_: Round) -> list[tuple[str, str]]:
    """The stage and name of each number of another Flower app."""
    return [(stage, name) for stage, numbers in round_.metrics.items() for name in numbers]
