"""SocketGate: what is asked of a request before Socket.IO sees it."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from flask import Request, Response

from app.api.problems import problem
from app.auth.roles import Role
from app.settings import ServerSettings
from app.web.guard import foreign_request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


EXTENSIONS = "HTTP_SEC_WEBSOCKET_EXTENSIONS"
"""What a browser would like of a WebSocket: that messages are compressed. That would be done anew for each
browser, with memory of its own for each; docs/decisions/0082."""


class Door(Protocol):
    """Decides on a request of Socket.IO."""

    def socket_refusal(self, incoming: Request, needed: Role, /) -> Response | None:
        """Why it is not let in; None: it is."""


class SocketGate:
    """A WSGI application around the one with Socket.IO, whose requests Flask does not see."""

    def __init__(
        self, application: WSGIApplication, settings: ServerSettings, gate: Door, needed: Role
    ) -> None:
        self._application = application
        self._settings = settings
        self._gate = gate
        self._needed = needed

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/socket.io/"):
            environ.pop(EXTENSIONS, None)
            incoming = Request(environ)
            if (foreign := foreign_request(incoming, self._settings)) is not None:
                return problem(HTTPStatus.FORBIDDEN, foreign)(environ, start_response)
            if (refusal := self._gate.socket_refusal(incoming, self._needed)) is not None:
                return refusal(environ, start_response)
        return self._application(environ, start_response)
