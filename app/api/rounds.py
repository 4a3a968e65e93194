"""/api/v1/runs/ID/rounds: the rounds of a run, whole or as much of them as a page can take at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.aside import aside
from app.api.problems import Problem, field_invalid
from app.api.reply import env
from app.api.runs import RunPath, durable, run_of
from app.auth.roles import Role, needs
from app.environment import Environment
from app.federation.runs.states import IDLE_STATES
from app.records import Round, told

rounds_api = APIBlueprint(
    "rounds", __name__, url_prefix="/api/v1/runs", abp_tags=[Tag(name="runs", description="Training runs")]
)

MOST_CHOSEN = 100
"""Clients whose parts can be asked for by name."""


class RoundsQuery(BaseModel):
    after: int | None = Field(default=None, ge=-1, description="only rounds after this one")
    limit: int | None = Field(default=None, ge=1, le=1_000, description="the first so many of them")
    points: int | None = Field(
        default=None,
        ge=2,
        le=10_000,
        description="thin the run out to about so many rounds; those with the best and the worst model of "
        "each stretch stay, and the newest",
    )
    clients: str | None = Field(
        default=None,
        max_length=10_000,
        description=f"ids of at most {MOST_CHOSEN} clients, apart by commas: only their parts are in "
        "`per_client`, and `spread` tells of all. Empty: nobody's. Without it everybody's",
    )


class RoundList(BaseModel):
    rounds: list[Round]
    more: bool = Field(default=False, description="whether there are rounds after these that were not sent")


@rounds_api.get(
    "/<run_id>/rounds",
    summary="A run's complete rounds",
    responses={200: RoundList, 404: Problem, 422: Problem},
)
@needs(Role.VIEWER)
def get_rounds(path: RunPath, query: RoundsQuery) -> Response:
    """Round 0 is the evaluation of the initial model."""
    run = run_of(path.run_id)
    clients = None if query.clients is None else [name for name in query.clients.split(",") if name]
    if clients is not None and len(clients) > MOST_CHOSEN:
        return field_invalid("clients", f"These are {len(clients)} clients; name at most {MOST_CHOSEN}.")
    if run.state not in IDLE_STATES:
        durable(run)
    server = env()
    encoded = aside(lambda: _rounds(server, path.run_id, query, clients).model_dump_json())
    return Response(encoded, content_type="application/json")


def _rounds(
    server: Environment, run_id: str, query: RoundsQuery, clients: Collection[str] | None
) -> RoundList:
    is_whole = query == RoundsQuery()
    if is_whole or server.book.has_loaded(run_id):
        known = {each.round: each for each in server.book.rounds(run_id) if each.complete}
        numbers, more = _chosen([(number, _worth(each)) for number, each in known.items()], query)
        rounds = [_of_clients(each, clients) for each in told(known[number] for number in numbers)]
    else:
        numbers, more = _chosen(server.store.outline(run_id), query)
        rounds = server.store.rounds_at(run_id, numbers, clients)
    return RoundList.model_construct(rounds=rounds, more=more)


def _chosen(outline: Sequence[tuple[int, float | None]], query: RoundsQuery) -> tuple[list[int], bool]:
    """The numbers of the rounds to be sent, and whether there are more."""
    after = -1 if query.after is None else query.after
    numbers = [number for number in thinned(outline, query.points) if number > after]
    limit = len(numbers) if query.limit is None else query.limit
    return numbers[:limit], len(numbers) > limit


def thinned(outline: Sequence[tuple[int, float | None]], points: int | None) -> list[int]:
    """About `points` of the numbers in an outline: of each stretch those of the lowest and the highest value,
    so that no peak is lost, and the last of all."""
    if points is None or len(outline) <= points:
        return [number for number, _ in outline]
    stretch = -(-2 * len(outline) // points)
    kept = {outline[0][0], outline[-1][0]}
    for begin in range(0, len(outline), stretch):
        part = outline[begin : begin + stretch]
        valued = [(value, number) for number, value in part if value is not None]
        kept |= {min(valued)[1], max(valued)[1]} if valued else {part[0][0]}
    return sorted(kept)


def _worth(round_: Round) -> float | None:
    """As the store's outline has it."""
    for accuracy in (round_.accuracy, round_.client_accuracy):
        if accuracy is not None:
            return accuracy
    return next((-loss for loss in (round_.loss, round_.client_loss) if loss is not None), None)


def _of_clients(round_: Round, clients: Collection[str] | None) -> Round:
    if clients is None:
        return round_
    parts = round_.per_client
    return round_.model_copy(update={"per_client": {name: parts[name] for name in clients if name in parts}})
