"""What the routes of users, tokens and sessions share: typed input, and changes in another thread."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Response, abort
from pydantic import Field

from app.api.aside import aside, outcome
from app.api.problems import field_invalid, not_found, problem
from app.api.reply import env
from app.auth.accounts import AccountConflict, NoSuchAccount
from app.auth.passwords import LONGEST, SHORTEST, TooBusy, check_strength
from app.auth.secret import user_name
from shared.errors import SettingsInvalid, StoreUnavailable

T = TypeVar("T")

PASSWORD_FIELD: Any = Field(
    max_length=LONGEST,
    description=f"a new one has at least {SHORTEST} characters",
    json_schema_extra={"format": "password"},
)


def named(text: str) -> str:
    """A user's name as it is kept. Ends the request with a problem if it is none."""
    try:
        return user_name(text)
    except SettingsInvalid as error:
        abort(field_invalid(error.field, str(error)))


def hashed(password: str) -> str:
    """A new password as it is kept. Ends the request with a problem if it will not do."""
    try:
        return outcome(env().auth.passwords.hash(check_strength(password)))
    except SettingsInvalid as error:
        abort(field_invalid(error.field, str(error)))
    except TooBusy:
        abort(problem(HTTPStatus.SERVICE_UNAVAILABLE, "Too many log in at once. Try again in a moment."))


def changed(change: Callable[[], T]) -> T | Response:
    """What a change of the accounts returns, or the problem that it ends in."""
    try:
        return aside(change)
    except NoSuchAccount as error:
        return not_found(str(error))
    except AccountConflict as error:
        return problem(HTTPStatus.CONFLICT, str(error))
    except StoreUnavailable as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
