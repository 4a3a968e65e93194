"""A webhook's receiver: a real HTTP server, which a test can make slow, failing or gone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class Receiver:
    """What has come in, in order. `status`: what it answers; `open`: it answers only while this is set."""

    def __init__(self) -> None:
        self.status = 204
        self.location: str | None = None
        self.open = threading.Event()
        self.open.set()
        self.requests: list[tuple[Mapping[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests.append((dict(self.headers.items()), body))
                receiver.open.wait(30)
                self.send_response(receiver.status)
                if receiver.location is not None:
                    self.send_header("location", receiver.location)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hooks/fedloom?key=hidden"

    @property
    def notices(self) -> list[Json]:
        return [json.loads(body) for _, body in self.requests]

    def of(self, event: str) -> list[Json]:
        return [notice for notice in self.notices if notice["event"] == event]

    def close(self) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()


def is_genuine(secret_file: Path, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a request is signed, as docs/notifications.md tells receivers to check it."""
    secret = base64.b64decode(secret_file.read_text().strip().removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    given = [each.removeprefix("v1,") for each in headers["webhook-signature"].split(" ")]
    return any(hmac.compare_digest(wanted, each) for each in given)
