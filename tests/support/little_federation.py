"""A server that a dashboard takes for its federation: it answers what it is asked without doing anything."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SNAPSHOT = b'{"seq": 0, "instance": "little", "runs": []}'
ENDLESS = "/api/endless"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == ENDLESS:
            self._go_on()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(SNAPSHOT)))
        self.end_headers()
        self.wfile.write(SNAPSHOT)

    def _go_on(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        with suppress(OSError):  # until nobody takes it any more
            while True:
                self.wfile.write(bytes(65_536))

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        pass  # whoever refuses its certificate hangs up


@contextmanager
def little_federation(context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Its address. `context`: with its certificate, for HTTPS."""
    server = _Server(("127.0.0.1", 0), _Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"{'http' if context is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
