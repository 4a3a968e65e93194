"""SocketGate: what is asked of a request before Socket.IO sees it."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Request

from app.api.access import Gate
from app.api.problems import problem
from app.auth.roles import Role
from app.settings import ServerSettings
from app.web.guard import foreign_request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class SocketGate:
    """A WSGI application around the one with Socket.IO, whose requests Flask does not see."""

    def __init__(
        self, application: WSGIApplication, settings: ServerSettings, gate: Gate, needed: Role
    ) -> None:
        self._application = application
        self._settings = settings
        self._gate = gate
        self._needed = needed

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/socket.io/"):
            incoming = Request(environ)
            if (foreign := foreign_request(incoming, self._settings)) is not None:
                return problem(HTTPStatus.FORBIDDEN, foreign)(environ, start_response)
            if (refusal := self._gate.socket_refusal(incoming, self._needed)) is not None:
                return refusal(environ, start_response)
        return self._application(environ, start_response)
