"""What listens where no link was found is told apart, over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from client import address_probe
from client.address_probe import Found, look_at
from shared.address import Address

TLS_ALERT = bytes([21, 3, 3, 0, 2, 2, 70])
HTTP2_SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address_probe, "TIMEOUT_S", 0.3)


def look(port: int, host: str = "127.0.0.1") -> Found:
    return asyncio.run(look_at(Address(host, port)))


@contextmanager
def web_server(body: bytes, status: int = 200) -> Iterator[int]:
    """A web server with this answer to everything; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@contextmanager
def listener(serve: Callable[[socket.socket], object]) -> Iterator[int]:
    """A server that does this with its first connection; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def work() -> None:
            with server.accept()[0] as connection:
                serve(connection)

        thread = threading.Thread(target=work)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def answering(data: bytes) -> Callable[[socket.socket], None]:
    def serve(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.recv(10_000)

    return serve


def test_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert look(port) == Found("nothing listens there")


def test_a_name_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    found = look(5050, "no-such-host.invalid")

    assert found.words.startswith("the name no-such-host.invalid cannot be resolved (")
    assert not found.is_other


def test_the_page_of_fedloom() -> None:
    with web_server(json.dumps({"version": "0.1.0", "link": {"host": "::", "port": 5051}}).encode()) as port:
        assert look(port) == Found(
            "FedLoom's page is there; clients connect to port 5051: --server 127.0.0.1:5051", is_other=True
        )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>", 200),
        (b"", 404),
        (b"[]", 200),
        (b"{}", 200),
        (b'{"link": {"port": "5051"}}', 200),
        (b'{"link": {"port": 0}}', 200),
        (b'{"link": {"port": 70000}}', 200),
        (b"\xff\xfe", 200),
        (b"[" * 100_000, 200),
    ],
)
def test_another_web_server(body: bytes, status: int) -> None:
    with web_server(body, status) as port:
        assert look(port) == Found(
            "a web server answers there; clients connect to FedLoom's --link-port", is_other=True
        )


@pytest.mark.parametrize(
    ("data", "words", "is_other"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "something else than FedLoom listens there", True),
        (b"HTTP/nonsense\r\n", "something else than FedLoom listens there", True),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200, "something else than FedLoom listens there", True),
        (TLS_ALERT, "it did not answer in time", False),
        (HTTP2_SETTINGS, "a server without TLS answers there, as those of an older FedLoom do", True),
        (b"", "something listens there and closes the connection", False),
    ],
)
def test_other_servers(data: bytes, words: str, is_other: bool) -> None:
    with listener(answering(data)) as port:
        assert look(port) == Found(words, is_other, is_tls=data is TLS_ALERT)


def test_one_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # the system accepts, nobody answers
        assert look(server.getsockname()[1]) == Found("it does not answer")


def test_one_that_goes_on_answering_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client would not try again as long as it came, one header after the other."""
    monkeypatch.setattr(address_probe, "LIMIT_S", 0.5)
    was_left = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not was_left.wait(0.05):
            connection.sendall(b" ")

    with listener(trickle) as port:
        found = look_in_time(port)
        was_left.set()

    assert found == Found("it did not answer in time")


def look_in_time(port: int) -> Found | None:
    async def look() -> Found | None:
        try:
            return await asyncio.wait_for(look_at(Address("127.0.0.1", port)), 5.0)
        except TimeoutError:
            return None

    return asyncio.run(look())
