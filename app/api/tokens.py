"""/api/v1/tokens: what programs show in place of a password."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field

from app.account_records import Token
from app.api.access import current
from app.api.accounts import changed
from app.api.audited import audited
from app.api.problems import Problem
from app.api.reply import env, reply
from app.audit.entry import Kind
from app.auth.roles import Role, needs
from app.records import Record

DAY_S = 24 * 3_600.0
LONGEST_S = 3_660 * DAY_S

tokens_api = APIBlueprint(
    "tokens", __name__, url_prefix="/api/v1/tokens", abp_tags=[Tag(name="tokens", description="Programs")]
)

log = logging.getLogger(__name__)


class TokenInfo(Record):
    id: str
    label: str
    role: Role = Field(description="at most that of whoever made it, as of now")
    creator: str | None = Field(description="the user who made it; null: the server's owner, or its key")
    created_at: float
    expires_at: float


class TokenList(BaseModel):
    tokens: list[TokenInfo]


class TokenPath(BaseModel):
    id: str = Field(description="a token's id")


class NewToken(BaseModel):
    model_config = ConfigDict(extra="forbid")

    label: str = Field(min_length=1, max_length=100, description="what it is for")
    role: Role = Role.VIEWER
    expires_in_s: float = Field(
        default=90 * DAY_S, gt=0, le=LONGEST_S, allow_inf_nan=False, description="how long it holds"
    )


class MadeToken(TokenInfo):
    """The only answer with the token itself, of which no more than a hash is kept."""

    token: str


@tokens_api.get("", summary="All tokens, newest first", responses={200: TokenList})
@needs(Role.ADMIN)
def list_tokens() -> Response:
    return reply(TokenList(tokens=[TokenInfo(**_fields(token)) for token in env().auth.accounts.tokens()]))


@tokens_api.post("", summary="Make a token", responses={201: MadeToken, 422: Problem, 503: Problem})
@needs(Role.ADMIN)
def make_token(body: NewToken) -> Response:
    """A program sends it as `Authorization: Bearer TOKEN`."""
    accounts, creator = env().auth.accounts, current().creator
    made = changed(lambda: accounts.add_token(body.label, body.role, body.expires_in_s, creator))
    if isinstance(made, Response):
        return made
    token, secret = made
    audited(
        Kind.TOKEN_MADE,
        token=token.id,
        label=token.label,
        role=token.role,
        creator=token.creator,
        expires_at=token.expires_at,
    )
    log.info("%s has made the token %s (%s), %s", current(), token.id, body.label, body.role)
    return reply(MadeToken(**_fields(token), token=secret), HTTPStatus.CREATED)


@tokens_api.delete("/<id>", summary="Revoke a token", responses={204: None, 404: Problem, 503: Problem})
@needs(Role.ADMIN)
def revoke_token(path: TokenPath) -> Response:
    """From now on it lets nobody in; connections that it opened are closed at once."""
    accounts = env().auth.accounts
    revoked = changed(lambda: accounts.remove_token(path.id))
    if isinstance(revoked, Response):
        return revoked
    audited(Kind.TOKEN_REVOKED, token=revoked.id, label=revoked.label)
    log.info("%s has revoked the token %s", current(), path.id)
    return Response(status=HTTPStatus.NO_CONTENT)


def _fields(token: Token) -> dict[str, Any]:
    return {name: getattr(token, name) for name in TokenInfo.model_fields}
