"""GET /api/v1/runs: the runs that are wanted, in the order that is wanted, a page at a time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.problems import Problem, asking_store
from app.api.reply import env, reply
from app.auth.roles import Role, needs
from app.federation.runs.search import Order, SortKey, Wanted, found, in_order
from app.records import Run, RunState
from shared.names import DatasetName, StrategyName

run_list_api = APIBlueprint(
    "run_list", __name__, url_prefix="/api/v1/runs", abp_tags=[Tag(name="runs", description="Training runs")]
)

MOST_TEXT = 200


class RunListQuery(BaseModel):
    q: str = Field(
        default="",
        max_length=MOST_TEXT,
        description="words, each of which stands in the run's id, name, tags, notes, data set, model, "
        "strategy or app",
    )
    state: list[RunState] = Field(default=[], description="may be given several times: any of them")
    dataset: list[DatasetName] = Field(default=[], description="any of them")
    strategy: list[StrategyName] = Field(default=[], description="any of them")
    tag: list[str] = Field(default=[], description="may be given several times: all of them")
    sort: SortKey = Field(
        default=SortKey.CREATED, description="a run without such a value comes last in either order"
    )
    order: Order = Field(default=Order.DESCENDING)
    limit: int | None = Field(default=None, ge=1, le=1_000, description="at most so many; all, without it")
    offset: int = Field(default=0, ge=0, le=1_000_000, description="so many are left out at the beginning")


class RunList(BaseModel):
    runs: list[Run]
    total: int = Field(description="how many runs are wanted, listed or not")
    received: dict[str, int] = Field(
        description="bytes of replies that came from the clients of each run that is listed; none: left out"
    )
    states: dict[RunState, int] = Field(description="how many runs there are in each state, wanted or not")
    tags: list[str] = Field(description="all tags that any run has, in alphabetical order")


@run_list_api.get("", summary="The runs, newest first", responses={200: RunList, 422: Problem, 503: Problem})
@needs(Role.VIEWER)
def list_runs(query: RunListQuery) -> Response:
    """Without a query all of them."""
    newest_first = env().book.newest_first()
    wanted = found(
        newest_first,
        Wanted(
            text=query.q,
            states=query.state,
            datasets=query.dataset,
            strategies=query.strategy,
            tags=query.tag,
        ),
    )
    with asking_store():
        shown = _page_of(_sorted(wanted, query), query)
        received = env().store.summaries.received([run.id for run in shown])
    return reply(
        RunList(
            runs=shown,
            total=len(wanted),
            received=received,
            states=Counter(run.state for run in newest_first),
            tags=sorted({tag for run in newest_first for tag in run.tags}, key=str.casefold),
        )
    )


def _sorted(runs: list[Run], query: RunListQuery) -> list[Run]:
    if query.sort is SortKey.CREATED:  # as the book has them, whatever the clock said
        return runs if query.order is Order.DESCENDING else runs[::-1]
    of_all: Mapping[str, int] = env().store.summaries.received_of_all() if query.sort is SortKey.BYTES else {}
    return in_order(runs, query.sort, query.order, of_all, time.time())


def _page_of(runs: Sequence[Run], query: RunListQuery) -> list[Run]:
    end = None if query.limit is None else query.offset + query.limit
    return list(runs[query.offset : end])
