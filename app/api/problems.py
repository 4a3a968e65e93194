"""Errors as JSON problems (RFC 9457): what happened, what it means and, for wrong input, the field."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, abort, current_app, request
from flask.json.provider import DefaultJSONProvider
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails, from_json
from werkzeug.exceptions import HTTPException

from shared.errors import StoreUnavailable
from shared.run_spec import words_of
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


@contextmanager
def asking_store() -> Iterator[None]:
    """The store is asked in the block. Where it cannot answer, the request ends, with 503."""
    try:
        yield
    except StoreUnavailable as error:
        abort(problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error)))


def register_problem_handlers(flask_app: Flask) -> None:
    """Answer every error below /api as a problem, also those that Flask itself raises."""
    flask_app.json = StrictJson(flask_app)

    flask_app.register_error_handler(HTTPException, as_problem)

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
        in_chunks = "Transfer-Encoding" in request.headers
        has_body = request.content_length or in_chunks or request.is_json
        if request.path.startswith("/api/") and request.method in {"POST", "PUT", "PATCH"} and has_body:
            _require_json_body()


def as_problem(error: HTTPException) -> Response | HTTPException:
    """Below /api a problem; elsewhere, and where the error has an answer of its own, the error as it is."""
    if error.response is not None or not request.path.startswith("/api/"):
        return error
    return problem(error.code or 500, error.description or HTTPStatus(error.code or 500).description)


def _require_json_body() -> None:
    """End the request with a problem unless its body can be read, and is JSON."""
    if not request.is_json or request.headers.get("Content-Encoding", "identity") != "identity":
        abort(
            problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "Send the body as JSON, uncompressed, with Content-Type: application/json.",
            )
        )
    try:
        body = request.get_data()
    except (OSError, ValueError) as error:  # it stopped in the middle, or its chunks are none
        abort(problem(HTTPStatus.BAD_REQUEST, f"The body could not be read to its end: {error}."))
    limit = request.max_content_length
    if limit is not None and len(body) >= limit:  # it came in chunks, and was read no further
        abort(problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE.description))
    value = request.get_json(silent=True)
    if value is None:
        abort(problem(HTTPStatus.BAD_REQUEST, f"The body is not JSON{_why(body)}. Send one JSON object."))
    if isinstance(value, str):  # flask-openapi3 would look for JSON in it
        abort(problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The body is a JSON string. Send one JSON object."))


def _why(body: bytes) -> str:
    try:
        current_app.json.loads(body)
    except ValueError as error:
        return f": {error}"
    return " with any content"


class StrictJson(DefaultJSONProvider):
    """JSON as RFC 8259 has it: in UTF-8, with numbers that are numbers, nested less than 200 deep.

    Python's own parser takes NaN, half surrogate pairs and other encodings, and ends in a RecursionError.
    """

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Raises ValueError with the place where it is wrong."""
        return from_json(s, allow_inf_nan=False)


def _words(error: ErrorDetails) -> str:
    return "there is no such field" if error["type"] == "extra_forbidden" else words_of(error)


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)
