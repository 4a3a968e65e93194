"""Errors as JSON problems (RFC 9457): what happened, what it means and, for wrong input, the field."""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, Response, abort, request
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import HTTPException

from shared.text import printable


class FieldError(BaseModel):
    field: str = Field(description="dotted path of the field; empty: the body as a whole")
    message: str


class Problem(BaseModel):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] = Field(default_factory=list)


def problem(status: int, detail: str, errors: list[FieldError] | None = None) -> Response:
    """A response of type application/problem+json."""
    body = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=printable(detail), errors=errors or []
    )
    return Response(body.model_dump_json(), status=status, content_type="application/problem+json")


def invalid(error: ValidationError) -> Response:
    """422 for input that pydantic refused: every field that is wrong, and why."""
    errors = [FieldError(field=_path(item["loc"]), message=_words(item)) for item in error.errors()]
    named = "; ".join(f"{item.field or 'body'}: {item.message}" for item in errors)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"The request was not carried out. {named}", errors)


def field_invalid(field: str, message: str) -> Response:
    """422 for one field that is right by itself but does not fit the others."""
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"The request was not carried out. {field or 'body'}: {message}",
        [FieldError(field=field, message=message)],
    )


def not_found(detail: str) -> Response:
    """404."""
    return problem(HTTPStatus.NOT_FOUND, detail)


def register_problem_handlers(flask_app: Flask) -> None:
    """Answer every error below /api as a problem, also those that Flask itself raises."""

    @flask_app.errorhandler(HTTPException)
    def _http_error(error: HTTPException) -> Response | HTTPException:
        if error.response is not None or not request.path.startswith("/api/"):
            return error
        return problem(error.code or 500, error.description or HTTPStatus(error.code or 500).description)

    @flask_app.errorhandler(Exception)
    def _unexpected(error: Exception) -> Response:
        flask_app.logger.exception("%s %s failed", request.method, request.path)
        return problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            f"An unexpected error in the server ({type(error).__name__}). "
            "The request may have had no effect; the server's log has the details.",
        )

    @flask_app.before_request
    def _require_json() -> None:
        has_body = request.method in {"POST", "PUT", "PATCH"} and (request.content_length or request.is_json)
        if not request.path.startswith("/api/") or not has_body:
            return
        if not request.is_json:
            abort(
                problem(
                    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                    "Send the body as JSON, with Content-Type: application/json.",
                )
            )
        if request.get_json(silent=True) is None:
            abort(problem(HTTPStatus.BAD_REQUEST, "The body is not JSON. Send one JSON object."))


def _words(error: ErrorDetails) -> str:
    """What pydantic says, or the words of a rule of ours without pydantic's before them."""
    if error["type"] == "extra_forbidden":
        return "there is no such field"
    own = error.get("ctx", {}).get("error")
    return str(own) if isinstance(own, ValueError) else error["msg"]


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)
