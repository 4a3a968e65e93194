"""/api/v1/users: who may log in, and as what."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field

from app.account_records import User
from app.api.access import current
from app.api.accounts import PASSWORD_FIELD, changed, hashed, named
from app.api.audited import audited
from app.api.problems import Problem
from app.api.reply import env, reply
from app.audit.entry import Kind
from app.auth.roles import Role, needs
from app.records import Record

users_api = APIBlueprint(
    "users", __name__, url_prefix="/api/v1/users", abp_tags=[Tag(name="users", description="People")]
)

log = logging.getLogger(__name__)


class UserInfo(Record):
    name: str
    role: Role
    created_at: float


class UserList(BaseModel):
    users: list[UserInfo]


class UserPath(BaseModel):
    name: str = Field(description="a user's name")


class NewUser(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200, description="letters, digits and . _ @ - only; case does not count")
    role: Role = Role.VIEWER
    password: str = PASSWORD_FIELD


class UserChange(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    password: str | None = Field(default=None, max_length=1_000, description="ends the user's sessions")


@users_api.get("", summary="All users", responses={200: UserList})
@needs(Role.ADMIN)
def list_users() -> Response:
    return reply(UserList(users=[_info(user) for user in env().auth.accounts.users()]))


@users_api.post("", summary="Add a user", responses={201: UserInfo, 409: Problem, 422: Problem, 503: Problem})
@needs(Role.ADMIN)
def add_user(body: NewUser) -> Response:
    accounts = env().auth.accounts
    name, password = named(body.name), hashed(body.password)
    made = changed(lambda: accounts.add_user(name, body.role, password))
    if isinstance(made, Response):
        return made
    audited(Kind.USER_ADDED, user=name, role=body.role)
    log.info("%s has added the user %s, %s", current(), name, body.role)
    return reply(_info(made), HTTPStatus.CREATED)


@users_api.patch(
    "/<name>",
    summary="Change a user's role or password",
    responses={200: UserInfo, 404: Problem, 409: Problem, 422: Problem, 503: Problem},
)
@needs(Role.ADMIN)
def change_user(path: UserPath, body: UserChange) -> Response:
    """Pages that the user has open are closed at once, and open again with what the user may now."""
    accounts, name = env().auth.accounts, path.name.lower()
    password = hashed(body.password) if body.password is not None else None
    done = changed(lambda: accounts.change_user(name, role=body.role, password=password))
    if isinstance(done, Response):
        return done
    audited(Kind.USER_CHANGED, user=name, role=done.role, password=password is not None)
    log.info(
        "%s has changed the user %s: %s%s",
        current(),
        name,
        done.role,
        ", with another password" if password else "",
    )
    return reply(_info(done))


@users_api.delete(
    "/<name>", summary="Remove a user", responses={204: None, 404: Problem, 409: Problem, 503: Problem}
)
@needs(Role.ADMIN)
def remove_user(path: UserPath) -> Response:
    """With all sessions and tokens of the user; pages that are open are closed at once."""
    accounts, name = env().auth.accounts, path.name.lower()
    refusal = changed(lambda: accounts.remove_user(name))
    if isinstance(refusal, Response):
        return refusal
    audited(Kind.USER_REMOVED, user=name)
    log.info("%s has removed the user %s", current(), name)
    return Response(status=HTTPStatus.NO_CONTENT)


def _info(user: User) -> UserInfo:
    return UserInfo(name=user.name, role=user.role, created_at=user.created_at)
