"""What both web servers ask of a request before the application sees it, so that they answer the same.

Their own limits and error pages differ. This class stands before the request handler of each.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from app.api.problems import Problem
from app.auth.peer import Peer
from app.web.connections import Connections

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler as RequestHandler
else:
    RequestHandler = object  # eventlet's handlers have a base of their own

MAX_LINE = 8_192
"""Bytes of the request line, and of each header."""

MAX_HEADERS = 65_536
"""Bytes of all headers together."""

LINGER_S = 1.0
"""How long a peer may go on to send after an answer that ends its connection."""

LINGER_BYTES = 65_536
"""Of what is read meanwhile, and dropped, at a time."""

MAX_DIGITS = 15
"""Of a Content-Length."""


class HttpRules(RequestHandler):
    """Comes first among the bases of a request handler."""

    connections: ClassVar[Connections]
    raw_requestline: bytes

    @cached_property
    def peer(self) -> Peer:
        """Who is at the other end; a handler serves one connection."""
        return Peer(self.connection, lambda: self.connections.keep(self.connection))

    def handle_one_request(self) -> None:
        """Wait for a request, and answer it. Nobody knows of whom it will be."""
        self.connections.release(self.connection)
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Read the request's head; False after an answer that it cannot be accepted."""
        if len(self.raw_requestline) > MAX_LINE:
            self.requestline, self.request_version, self.command = "", "HTTP/1.1", ""
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            return False
        if not super().parse_request():
            return False
        refusal = self._wrong_size() or self._wrong_body() or self._wrong_target()
        if refusal is not None:
            self.send_error(*refusal)
            return False
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with a problem (RFC 9457) and close the connection."""
        status = HTTPStatus(code)
        body = Problem(title=status.phrase, status=code, detail=explain or message or status.description)
        content = body.model_dump_json().encode()
        head = (
            f"HTTP/1.1 {code} {status.phrase}\r\nContent-Type: application/problem+json\r\n"
            f"Content-Length: {len(content)}\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
        )
        self.close_connection = True
        self.wfile.write(head.encode() + (b"" if self.command == "HEAD" else content))
        self.wfile.flush()
        self._linger()

    def _linger(self) -> None:
        """Let the peer read the answer. Closing while some of its request is unread resets the connection."""
        deadline = time.monotonic() + LINGER_S
        with suppress(OSError):  # the peer has gone, or says nothing more
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(LINGER_S)
            while time.monotonic() < deadline and self.connection.recv(LINGER_BYTES):
                pass

    def _wrong_size(self) -> tuple[HTTPStatus, str] | None:
        sizes = [len(name) + len(value) for name, value in self.headers.items()]
        if max(sizes, default=0) > MAX_LINE or sum(sizes) > MAX_HEADERS:
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request's headers are too large."
        return None

    def _wrong_body(self) -> tuple[HTTPStatus, str] | None:
        """Where the body ends must be beyond doubt: what follows is the next request."""
        lengths, encodings = self.headers.get_all("Content-Length"), self.headers.get_all("Transfer-Encoding")
        if lengths is not None and encodings is not None:
            return HTTPStatus.BAD_REQUEST, "Content-Length and Transfer-Encoding exclude each other."
        if encodings is not None and [text.strip().lower() for text in encodings] != ["chunked"]:
            return HTTPStatus.NOT_IMPLEMENTED, "The only Transfer-Encoding that is known here is chunked."
        if lengths is not None and not (len(lengths) == 1 and _is_length(lengths[0].strip())):
            return HTTPStatus.BAD_REQUEST, "The Content-Length is not a number of bytes."
        return None

    def _wrong_target(self) -> tuple[HTTPStatus, str] | None:
        """Bring the target, which may be a whole URL (RFC 9112, 3.2.2), to the form of a path."""
        if not self.path.startswith("/"):
            try:
                parts = urlsplit(self.path)
            except ValueError:
                return HTTPStatus.BAD_REQUEST, "The request's target is not a URL."
            if parts.scheme not in ("http", "https") or not parts.netloc:
                return HTTPStatus.BAD_REQUEST, "The request's target is neither a path nor a URL."
            del self.headers["Host"]
            self.headers["Host"] = parts.netloc
            self.path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.path = self.path.partition("#")[0]
        return None


def _is_length(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS
