"""/api/v1/me, login, logout and setup: who you are, and how you become somebody."""

from __future__ import annotations

import logging
import math
from http import HTTPStatus

from flask import Response, current_app, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.account_records import User
from app.api.access import client_address, csrf_token_of, current, gate_of, unauthorized
from app.api.accounts import PASSWORD_FIELD, changed, hashed, named
from app.api.aside import aside, outcome
from app.api.audited import audited, login_refused, who
from app.api.cookies import drop_cookie, set_cookie
from app.api.problems import Problem, problem
from app.api.reply import env, reply
from app.audit.entry import Kind
from app.auth.accounts import Issued, NoSuchAccount
from app.auth.identity import By, Identity
from app.auth.passwords import TooBusy
from app.auth.roles import Role, needs, public
from app.records import Record
from shared.errors import StoreUnavailable

session_api = APIBlueprint(
    "session", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="session", description="Who you are")]
)

FIRST = "whoever had the address for the first administrator"

log = logging.getLogger(__name__)


class Me(Record):
    """Who sends the request."""

    name: str | None = Field(description="the user's name, or the token's label; null: the owner, or the key")
    role: Role
    by: By = Field(
        description="how you are known: owner (you started the server on this machine), key (that the server "
        "printed), session (you logged in), token"
    )
    csrf: str | None = Field(description="send it as X-CSRF-Token with each change; null: none is needed")


class Login(BaseModel):
    name: str = Field(max_length=200)
    password: str = PASSWORD_FIELD


class Setup(BaseModel):
    token: str = Field(max_length=200, description="from the URL that the server printed when it started")
    name: str = Field(max_length=200)
    password: str = PASSWORD_FIELD


class PasswordChange(BaseModel):
    old: str = PASSWORD_FIELD
    new: str = PASSWORD_FIELD


@session_api.get("/me", summary="Who you are here", responses={200: Me})
@needs(Role.VIEWER)
def get_me() -> Response:
    identity = current()
    csrf = gate_of(current_app).csrf_token(request) if identity.credential.cookie else None
    return reply(_me(identity, csrf))


@session_api.post(
    "/login",
    summary="Log in with a password",
    responses={200: Me, 401: Problem, 403: Problem, 422: Problem, 429: Problem, 503: Problem},
)
@public
def log_in(body: Login) -> Response:
    """The answer brings a cookie. Every change that is made with it needs the header X-CSRF-Token."""
    auth, address = env().auth, client_address(request)
    name = body.name.strip().lower()
    user = auth.accounts.user(name)
    known = user.name if user is not None else None
    wait = auth.limits.attempt(name, address)
    if wait > 0:
        return _too_many(wait, known)
    try:
        right = outcome(auth.passwords.check(body.password, user.password if user else None))
    except TooBusy:
        return _too_busy()
    if user is None or not right:
        log.warning("a login as %r from %s was refused: wrong name or password", name[:64], address)
        login_refused("wrong name or password", known)
        return unauthorized("The name or the password is wrong. An administrator can set another password.")
    auth.limits.succeeded(name, address)
    try:
        issued = aside(lambda: auth.accounts.log_in(user))
    except NoSuchAccount as error:
        return unauthorized(str(error))
    except StoreUnavailable as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    log.info("user %s has logged in from %s", name, address)
    return _welcome(issued)


@session_api.post("/logout", summary="Log out", responses={204: None, 503: Problem})
@needs(Role.VIEWER)
def log_out() -> Response:
    """The session, its cookie and its connections end at once. Without a session nothing happens."""
    accounts, identity = env().auth.accounts, current()
    answer = Response(status=HTTPStatus.NO_CONTENT)
    drop_cookie(answer, request, gate_of(current_app).cookie)
    if identity.credential.cookie:
        refusal = changed(lambda: accounts.log_out(identity.credential))
        if isinstance(refusal, Response):
            return refusal
        log.info("%s has logged out", identity)
    return answer


@session_api.post(
    "/setup",
    summary="Make the first administrator",
    responses={200: Me, 401: Problem, 403: Problem, 409: Problem, 422: Problem, 503: Problem},
)
@public
def set_up(body: Setup) -> Response:
    """With the one-time token that the server prints when it starts without users. Logs in as well."""
    auth = env().auth
    if not auth.may_set_up(body.token):
        login_refused("wrong or old address for the first administrator")
        return unauthorized(
            "This address does not make an administrator any more: it was used, is older than an hour, or is "
            "of an earlier start of the server. Log in, or start the server again: it prints another while "
            "there is no user."
        )
    name, password = named(body.name), hashed(body.password)

    def make() -> tuple[User, Issued]:
        user = auth.accounts.add_user(name, Role.ADMIN, password, first=True)
        return user, auth.accounts.log_in(user)

    made = changed(make)
    if isinstance(made, Response):
        return made
    audited(Kind.USER_ADDED, by=FIRST, user=name, role=Role.ADMIN)
    log.info("the first administrator, %s, was made from %s", name, client_address(request))
    return _welcome(made[1])


@session_api.post(
    "/me/password",
    summary="Choose another password",
    responses={204: None, 409: Problem, 422: Problem, 429: Problem, 503: Problem},
)
@needs(Role.VIEWER)
def change_password(body: PasswordChange) -> Response:
    """It ends all other sessions of the user."""
    auth, identity = env().auth, current()
    user = auth.accounts.user(identity.user) if identity.user is not None else None
    if user is None:
        return problem(
            HTTPStatus.CONFLICT, f"Only a user who has logged in has a password; you are {identity}."
        )
    wait = auth.limits.attempt(user.name, client_address(request))
    if wait > 0:
        return _too_many(wait, user.name)
    try:
        right = outcome(auth.passwords.check(body.old, user.password))
    except TooBusy:
        return _too_busy()
    if not right:
        login_refused("wrong old password", user.name)
        return problem(HTTPStatus.FORBIDDEN, "The old password is wrong, so nothing was changed.")
    auth.limits.succeeded(user.name, client_address(request))
    new = hashed(body.new)
    done = changed(lambda: auth.accounts.change_user(user.name, password=new, keep=identity.credential.id))
    if isinstance(done, Response):
        return done
    audited(Kind.USER_CHANGED, user=user.name, role=done.role, password=True)
    log.info("user %s has chosen another password", user.name)
    return Response(status=HTTPStatus.NO_CONTENT)


def _welcome(issued: Issued) -> Response:
    """Who somebody is from now on, with the cookie; the session that they had before ends."""
    auth, gate = env().auth, gate_of(current_app)
    before = auth.accounts.by_cookie(request.cookies.get(gate.cookie, ""))
    if before is not None:
        changed(lambda: auth.accounts.log_out(before.credential))
    identity = auth.accounts.identity(issued.credential)
    if identity is None:
        return unauthorized("The user was removed just now.")
    audited(Kind.LOGGED_IN, by=who(identity))
    answer = reply(_me(identity, csrf_token_of(issued.secret)))
    set_cookie(answer, request, gate.cookie, issued.secret)
    return answer


def _me(identity: Identity, csrf: str | None) -> Me:
    return Me(name=identity.name, role=identity.role, by=identity.by, csrf=csrf)


def _too_many(wait_s: float, user: str | None = None) -> Response:
    login_refused("too many logins had failed", user)
    seconds = math.ceil(wait_s)
    answer = problem(HTTPStatus.TOO_MANY_REQUESTS, f"Too many logins have failed. Try again in {seconds} s.")
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _too_busy() -> Response:
    answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, "Too many log in at once. Try again in a moment.")
    answer.headers["Retry-After"] = "2"
    return answer
