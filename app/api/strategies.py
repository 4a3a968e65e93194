"""/api/v1/strategies: what a run's strategy can be, and which parameters it takes."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel

from app.api.reply import reply
from app.auth.roles import Role, needs
from app.federation.strategies import StrategyInfo, describe_strategies

strategies_api = APIBlueprint(
    "strategies",
    __name__,
    url_prefix="/api/v1/strategies",
    abp_tags=[Tag(name="strategies", description="How updates become one model")],
)


class StrategyList(BaseModel):
    strategies: list[StrategyInfo]


@strategies_api.get("", summary="All strategies with their parameters", responses={200: StrategyList})
@needs(Role.VIEWER)
def list_strategies() -> Response:
    return reply(StrategyList(strategies=describe_strategies()))
