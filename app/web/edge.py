"""The edge of the web application: whatever goes wrong in a request is reported, and ends nothing else."""

from __future__ import annotations

import errno
import logging
import sys
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Response

from app.api.problems import problem
from app.api.reply import UNBUFFERED
from app.web.sockets import UNREADABLE
from shared.error_line import error_of
from shared.interrupt import Signalled

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)


class WebEdge:
    """A WSGI application around another.

    Flask answers an `Exception` in a view by itself. What it lets through comes here: what is no `Exception`,
    errors of Socket.IO, and those that come up while an answer is made piece by piece, when Flask has long
    returned. The first piece is made before the headers go out, so that an error in it still gets an answer.

    An answer that says that it is not to be buffered goes out piece by piece; else eventlet collects 4 KiB.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        pieces: Iterable[bytes] = ()
        try:
            pieces = self._application(environ, _unbuffered_if_wanted(environ, start_response))
            if isinstance(pieces, list | tuple):
                return pieces
            return _Answer(pieces, _request(environ))
        except (Signalled, ConnectionError, TimeoutError):  # the server is to end; the connection has ended
            raise
        except BaseException as error:
            _close(pieces)
            if _is_over(error, environ):
                raise ConnectionAbortedError("the page has gone") from error
            _report(error, environ)
            cause = sys.exc_info()
            apology = _apology(error)
            return apology(environ, lambda status, headers, _=None: start_response(status, headers, cause))


def _unbuffered_if_wanted(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
    """A `start_response` that looks whether the answer wants to go out piece by piece."""

    def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
        if UNBUFFERED in headers:
            environ["eventlet.minimum_write_chunk_size"] = 0
        return start_response(status, headers, *failure)

    return start


class _Answer:
    """The pieces of an answer, of which the first is made at once."""

    def __init__(self, pieces: Iterable[bytes], request: str) -> None:
        self._pieces = pieces
        self._request = request
        self._iterator = iter(pieces)
        self._first = [piece for piece in (next(self._iterator, None),) if piece is not None]

    def __iter__(self) -> Iterator[bytes]:
        yield from self._first
        try:
            yield from self._iterator
        except (Signalled, ConnectionError, GeneratorExit):
            raise
        except BaseException as error:
            log.exception("%s: the answer broke off", self._request)
            # Both web servers close the connection then, so that the receiver sees that something is missing.
            raise ConnectionAbortedError("the answer broke off") from error

    def close(self) -> None:
        """Part of WSGI: the request is over."""
        _close(self._pieces)


def _is_over(error: BaseException, environ: WSGIEnvironment) -> bool:
    """Whether a page went away while it was told something: its WebSocket's thread closed the socket."""
    return (
        isinstance(error, OSError)
        and error.errno == errno.EBADF
        and environ["PATH_INFO"].startswith("/socket.io/")
    )


def _report(error: BaseException, environ: WSGIEnvironment) -> None:
    request = _request(environ)
    if environ["PATH_INFO"].startswith("/socket.io/") and isinstance(error, UNREADABLE):
        log.warning("%s ended: %s", request, error_of(error))
    else:
        log.exception("%s failed", request)


def _close(pieces: Iterable[bytes]) -> None:
    close: Any = getattr(pieces, "close", None)
    if close is not None:
        close()


def _request(environ: WSGIEnvironment) -> str:
    return f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"


def _apology(error: BaseException) -> Response:
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        f"An unexpected error in the server ({type(error).__name__}). "
        "The request may have had no effect; the server's log has the details.",
    )
