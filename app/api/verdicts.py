"""/api/v1/runs/<run_id>/verdicts: what was decided of the clients' replies."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.problems import Problem, asking_store
from app.api.reply import env, reply
from app.api.runs import RunPath, durable, run_of
from app.auth.roles import Role, needs
from app.records import Verdict, VerdictEntry

verdicts_api = APIBlueprint(
    "verdicts",
    __name__,
    url_prefix="/api/v1/runs/<run_id>/verdicts",
    abp_tags=[Tag(name="verdicts", description="What was decided of each reply of a client")],
)


class VerdictQuery(BaseModel):
    client: str | None = Field(default=None, description="only on replies of this client")
    verdict: Verdict | None = Field(default=None, description="only this one")
    before: int | None = Field(
        default=None, ge=0, lt=2**63, description="only those before this sequence number"
    )
    limit: int = Field(default=500, ge=1, le=5_000, description="at most so many, the newest")


class VerdictList(BaseModel):
    verdicts: list[VerdictEntry]


@verdicts_api.get(
    "",
    summary="A run's verdicts, oldest first",
    responses={200: VerdictList, 404: Problem, 503: Problem},
)
@needs(Role.VIEWER)
def list_verdicts(path: RunPath, query: VerdictQuery) -> Response:
    """Every reply of a client is judged before anybody uses it. For those before the first of these, ask with
    `before` = its `seq`."""
    run = durable(run_of(path.run_id))
    with asking_store():
        found = env().store.verdicts(
            query.limit,
            run_id=run.id,
            client_id=query.client,
            verdict=query.verdict,
            before_seq=query.before,
        )
    return reply(VerdictList(verdicts=found))
