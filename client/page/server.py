"""Serves a client's page on loopback, in threads of its own."""

from __future__ import annotations

import asyncio
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from client.page.answers import ALWAYS, Act, Answer, Answers, Json
from client.page.files import page_files
from shared.errors import FedLoomError

HOST = "127.0.0.1"
MAX_CONNECTIONS = 32
"""At the same time. One browser has six."""
IDLE_S = 10.0
"""For so long a connection may say nothing."""
LOOP_TIMEOUT_S = 10.0

Request = socket.socket | tuple[bytes, socket.socket]


class PageNotServed(FedLoomError):
    """The client's page cannot be served where it was to be."""


@contextmanager
def serving_page(port: int, status: Callable[[], Json], act: Act) -> Iterator[str]:
    """Serve it, and print its address, which has the key in it. `port` 0: any that is free. `status` and
    `act` are called in the event loop that runs now. Raises PageNotBuilt and PageNotServed."""
    files, key = page_files(), secrets.token_urlsafe(32)
    try:
        server = _Server((HOST, port), _Handler)
    except OSError as error:
        raise PageNotServed(
            f"The client's page cannot be served at port {port}: {error.strerror or error}. "
            "Choose another with --page PORT."
        ) from error
    here = server.server_address[1]
    server.answers = Answers(key, here, files, _in_loop(status), _in_loop(act))
    thread = threading.Thread(target=server.serve_forever, name="page", daemon=True)
    thread.start()
    address = f"http://localhost:{here}/?token={key}"
    # Printed, not logged: the log goes to the server.
    sys.stdout.write(f"This client's page, for whoever has the key in its address: {address}\n")
    sys.stdout.flush()
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _in_loop(function: Callable[..., Json]) -> Callable[..., Json]:
    """The same from any thread."""
    loop = asyncio.get_running_loop()

    async def call(*arguments: Any) -> Json:
        return function(*arguments)

    return lambda *arguments: asyncio.run_coroutine_threadsafe(call(*arguments), loop).result(LOOP_TIMEOUT_S)


class _Server(ThreadingHTTPServer):
    answers: Answers
    daemon_threads = True
    block_on_close = False
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, handler)

    def process_request(self, request: Request, client_address: Any) -> None:
        """In a thread of its own, if there is one left."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(self, request: Request, client_address: Any) -> None:
        """In that thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Request, client_address: Any) -> None:
        """A browser that has gone is nobody's fault; anything else is a bug, and its traceback is printed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = IDLE_S

    def do_GET(self) -> None:
        """The page, its files, and what the client tells."""
        self._give(self.server.answers.get(self.path, self._told))

    def do_POST(self) -> None:
        """What people want done. A body that is too long is not read, and the connection ends."""
        said, told = self.headers.get("content-length", ""), self._told
        size = int(said) if said.isascii() and said.isdecimal() and len(said) < 9 else -1
        most = self.server.answers.most_bytes(self.path, told)
        body = self.rfile.read(size) if 0 <= size <= most else None
        self._give(self.server.answers.post(self.path, told, body))

    @property
    def _told(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _give(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {**ALWAYS, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def version_string(self) -> str:
        """Without the versions of what it is made of."""
        return "FedLoom"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what is asked for may have the key in it."""
