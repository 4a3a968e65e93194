"""Forwarding: what a dashboard does not answer itself, it has the federation answer.

The federation decides who may what: it gets the caller's own cookie or token, and is told from where and by
which address they came.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx
from flask import Flask, Response, request

from app.api.access import CHANGES_NOTHING, FORWARDED, client_address
from app.api.aside import outcome, web_sleep
from app.api.problems import problem
from app.auth.peer import mark_known
from app.auth.replica_key import KNOWN_HEADER
from app.auth.roles import public
from app.replica.federation import Federation
from app.replica.shares import ShareUsedUp
from shared.flower_control import FAB_MAX_SIZE
from shared.flower_control import PREFIX as FLOWER

PATHS = ("/api/", "/metrics", f"{FLOWER}/")
"""All that the federation answers: paths that end in a slash, with all below them."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

ANSWER_S = 120.0
"""How long the federation may say nothing in the middle of an answer, such as a log that is followed."""

WHOLE_BYTES = 1 << 20
"""A smaller answer is taken as a whole."""

PIECE_BYTES = 64 * 1024
PIECES = 8
"""That may wait for whoever takes them."""

LOOK_S = 0.01

EMPTY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
"""The status of answers that have no content, and do not say so."""

MAX_CALL = FAB_MAX_SIZE + (1 << 20)
"""Bytes of a call of the `flwr` command."""

FOR_ONE_CONNECTION = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that are not passed on (RFC 9110, 7.6.1)."""

SAFE_IN_QUERY = "%!$&'()*+,;=:@/?"
"""What stays as it came; all else is quoted."""

NOT_OURS = frozenset(name.lower() for name in FORWARDED)

NOT_DONE = (
    "The federation, which does the work, cannot be reached, so nothing was done. Try again when it is back; "
    "the page says so."
)
NOT_KNOWN = (
    "The federation, which does the work, went away before it had answered. Whether this was done is not "
    "known: look before you try again."
)
NOT_READABLE = "This request has a header that cannot be passed on, so nothing was done."
NO_PATH = "There is nothing at this path."
TOO_MANY = (
    "From your address so many large answers are taken at once that no other is begun. Try again when one of "
    "them is over."
)

log = logging.getLogger(__name__)


def add_forwarding(flask_app: Flask, federation: Federation) -> None:
    """Have requests to all PATHS answered by the federation."""

    @public  # the federation decides
    def forwarded(**_: str) -> Response:
        return forward(federation)

    for path in PATHS:
        rule = f"{path}<path:below>" if path.endswith("/") else path
        flask_app.add_url_rule(rule, f"forwarded {path}", forwarded, methods=METHODS)


def forward(federation: Federation) -> Response:
    """The federation's answer to the request that is handled."""
    if not {".", ".."}.isdisjoint(request.path.split("/")):  # they would lead out of PATHS
        return problem(HTTPStatus.NOT_FOUND, NO_PATH)
    if request.path.startswith(f"{FLOWER}/"):
        request.max_content_length = MAX_CALL
    content = request.get_data()
    try:
        sent = federation.request(
            request.method, _target(), timeout_s=ANSWER_S, headers=_headers(), content=content
        )
    except httpx.InvalidURL:
        return problem(HTTPStatus.NOT_FOUND, NO_PATH)
    answer = _Answer(federation, sent, client_address(request))
    try:
        head = outcome(answer.head)
    except ShareUsedUp:
        return problem(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY)
    except httpx.LocalProtocolError:
        return problem(HTTPStatus.BAD_REQUEST, NOT_READABLE)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, NOT_DONE)
    except httpx.HTTPError as error:
        log.warning("%s %s was not answered: %s", request.method, request.path, error)
        if request.method in CHANGES_NOTHING:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, NOT_DONE)
        return problem(HTTPStatus.BAD_GATEWAY, NOT_KNOWN)
    if KNOWN_HEADER in head.headers:
        mark_known(request.environ)
    whole = answer.whole
    response = Response(answer.pieces(web_sleep()) if whole is None else whole, head.status_code)
    if whole is None:
        response.call_on_close(answer.give_up)
    response.headers.clear()
    for name, value in head.headers.multi_items():
        if name.lower() not in FOR_ONE_CONNECTION and name.lower() != KNOWN_HEADER.lower():
            response.headers.add(name, value)
    if (whole is None or request.method == "HEAD") and "Content-Length" in head.headers:
        response.headers["Content-Length"] = head.headers["Content-Length"]
    return response


def _target() -> str:
    """Path and query of the request that is handled, as they are sent on."""
    query = quote(request.query_string, safe=SAFE_IN_QUERY)
    return quote(request.path, safe="/") + (f"?{query}" if query else "")


def _headers() -> list[tuple[bytes, bytes]]:
    kept = [
        (name, value)
        for name, value in request.headers.items()
        if name.lower() not in FOR_ONE_CONNECTION and name.lower() not in NOT_OURS
    ]
    ours = [
        ("X-Forwarded-For", client_address(request)),
        ("X-Forwarded-Proto", request.scheme),
        ("X-Forwarded-Host", request.host),
        *([("X-Forwarded-Prefix", request.root_path)] if request.root_path else []),
    ]
    return [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in (*kept, *ours)
    ]  # as they came


class _Answer:
    """One answer, which a thread of its own takes from the federation."""

    def __init__(self, federation: Federation, sent: httpx.Request, address: str) -> None:
        """`address`: of whoever takes it."""
        self.head: Future[httpx.Response] = Future()
        self.whole: bytes | None = None
        """All of a small one, once there is the head."""
        self._pieces: queue.Queue[bytes | Exception | None] = queue.Queue(PIECES)
        self._is_given_up = threading.Event()
        self._address = address
        threading.Thread(target=self._take, args=(federation, sent), name="forward", daemon=True).start()

    def pieces(self, sleep: Any) -> Iterator[bytes]:
        """Those of a large one, as they come. Raises what broke it off."""
        while True:
            try:
                piece = self._pieces.get_nowait()
            except queue.Empty:
                sleep(LOOK_S)
                continue
            if piece is None:
                return
            if isinstance(piece, Exception):
                raise ConnectionAbortedError("the federation's answer broke off") from piece
            yield piece

    def give_up(self) -> None:
        """Nobody takes the rest."""
        self._is_given_up.set()

    def _take(self, federation: Federation, sent: httpx.Request) -> None:
        try:
            response = federation.send(sent)
        except Exception as error:  # noqa: BLE001 - the edge of the thread, told to whoever waits
            self.head.set_exception(error)
            return
        try:
            if response.status_code in EMPTY or _length(response) <= WHOLE_BYTES:
                self.whole = b"".join(response.iter_raw())
                self.head.set_result(response)
                return
            with federation.streams.one_for(self._address):
                self.head.set_result(response)
                for piece in response.iter_raw(PIECE_BYTES):
                    if not self._put(piece):
                        return
                self._put(None)
        except Exception as error:  # noqa: BLE001 - the same
            if self.head.done():
                self._put(error)
            else:
                self.head.set_exception(error)
        finally:
            response.close()

    def _put(self, piece: bytes | Exception | None) -> bool:
        """Whether it is taken by somebody, sooner or later."""
        while not self._is_given_up.is_set():
            try:
                self._pieces.put(piece, timeout=1.0)
            except queue.Full:
                continue
            return True
        return False


def _length(response: httpx.Response) -> int:
    return int(response.headers.get("Content-Length", WHOLE_BYTES + 1))
