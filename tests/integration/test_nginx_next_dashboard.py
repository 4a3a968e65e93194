"""What nginx does when a dashboard does not answer, has no room, or is of another version: with stand-ins for
dashboards, of which a test knows what each was asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.api import Json
from tests.support.name_server import NameServer
from tests.support.nginx import Nginx, running_nginx
from tests.support.ports import free_port
from tests.support.waiting import wait_until

NAME = "dashboard.test"


class StandIn:
    """Answers everything with one status, or breaks off before it has answered (None). A context manager."""

    def __init__(self, status: int | None, address: str = "127.0.0.1", port: int = 0) -> None:
        self.asked: list[str] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.answer()

            def answer(self) -> None:
                stand_in.asked.append(f"{self.command} {self.path}")
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if status is None:
                    return
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer((address, port), Handler)
        self.address = f"{address}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def before(*statuses: int | None) -> Iterator[tuple[Nginx, list[StandIn]]]:
    """An nginx before stand-ins that answer so."""
    with ExitStack() as stack:
        made = [stack.enter_context(StandIn(status)) for status in statuses]
        listed = " ".join(each.address for each in made)
        yield stack.enter_context(running_nginx(UPSTREAM_SERVERS=listed)), made


def statuses_of(nginx: Nginx, method: str, path: str, count: int = 6) -> set[int]:
    with nginx.client() as client:
        return {client.request(method, path).status_code for _ in range(count)}


def test_an_asset_that_one_dashboard_does_not_have_comes_from_another() -> None:
    """As while dashboards are exchanged, one after the other, for those of another version."""
    with before(404, 200) as (nginx, (old, new)):
        assert {
            status
            for each in range(6)
            for status in statuses_of(nginx, "GET", f"/static/assets/{each}.js", 1)
        } == {200}
        assert old.asked
        assert len(new.asked) == 6
        assert statuses_of(nginx, "GET", "/runs") == {200, 404}  # only of files with a name of their own


def test_an_asset_that_nobody_has_is_asked_for_again() -> None:
    with before(404, 404) as (nginx, (one, other)):
        assert statuses_of(nginx, "GET", "/static/assets/x.js", 3) == {404}
        assert len(one.asked) == len(other.asked) == 3


def test_below_a_path_nothing_else_is_there() -> None:
    with (
        StandIn(200) as dashboard,
        running_nginx(UPSTREAM_SERVERS=dashboard.address, PUBLIC_URL="http://localhost/fedloom") as nginx,
        nginx.client() as client,
    ):
        assert client.get("/fedloom/").status_code == 200
        redirected = client.get("/fedloom", follow_redirects=False)
        assert (redirected.status_code, redirected.headers["Location"]) == (301, "/fedloom/")
        for path in ("/", "/index.html", "/runs"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["detail"]) == (404, "There is nothing at this path."), (
                path
            )
        assert dashboard.asked == ["GET /fedloom/"]


def test_a_dashboard_without_room_has_another_asked_but_not_for_a_change() -> None:
    with before(503, 200) as (nginx, (full, _)):
        assert statuses_of(nginx, "GET", "/api/v1/status") == {200}
        assert full.asked
        full.asked.clear()
        changes = statuses_of(nginx, "POST", "/api/v1/runs")
        assert changes == {200, 503}
        assert len(full.asked) < 6


def test_a_change_is_never_sent_twice() -> None:
    with before(None, None) as (nginx, (one, other)):
        with nginx.client() as client:
            answers = [client.post("/api/v1/runs", json={}) for _ in range(2)]
            looked = client.get("/api/v1/status")
        assert [answer.status_code for answer in answers] == [502, 502]
        assert "look before you try again" in answers[0].json()["detail"]
        assert sum(request.startswith("POST") for request in one.asked + other.asked) == 2
        assert looked.status_code == 503
        assert "nothing was done" in looked.json()["detail"]
        assert looked.headers["Retry-After"] == "5"


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_while_all_are_away_people_and_programs_are_told_in_words(accept: str) -> None:
    with running_nginx() as nginx, nginx.client(headers={"Accept": accept}) as client:
        page = client.get("/runs?token=secret")
        change = client.post("/api/v1/runs", json={})
        handshake = client.get("/socket.io/?EIO=4&transport=websocket")
        wait_until(lambda: "/socket.io/" in nginx.access_log, "they are in the log")
        assert "secret" not in nginx.said + nginx.access_log
        assert "connect() failed" in nginx.said  # of what has no key in its address it is said why
    assert page.status_code == 503
    assert page.headers["Content-Type"].startswith("text/html")
    assert "tries again by itself" in page.text
    assert "nginx" not in page.text
    assert (change.status_code, handshake.status_code) == (503, 503)
    assert change.headers["Content-Type"] == "application/problem+json"
    assert change.json() == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "No dashboard of FedLoom answers at present, so nothing was done. Runs go on. Try again in "
        "a few seconds.",
        "errors": [],
    }
    for answer in (page, change):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Server"] == "nginx"


def test_dashboards_come_and_go_under_one_name() -> None:
    port = free_port()
    with NameServer() as names, ExitStack() as stack:
        first, second = (stack.enter_context(StandIn(200, host, port)) for host in ("127.0.0.2", "127.0.0.3"))
        names.addresses[NAME] = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]  # the last has gone
        settings: Json = {"UPSTREAM_SERVERS": "", "UPSTREAM_HOST": NAME, "UPSTREAM_PORT": port}
        nginx = stack.enter_context(running_nginx(RESOLVER=names.address, **settings))
        client = stack.enter_context(nginx.client())
        assert {client.get("/").status_code for _ in range(20)} == {200}
        assert first.asked
        assert second.asked

        third = stack.enter_context(StandIn(200, "127.0.0.5", port))
        names.addresses[NAME] = ["127.0.0.5"]
        wait_until(lambda: client.get("/").status_code == 200 and third.asked, "the new one is found")

        names.addresses.clear()
        wait_until(lambda: client.get("/api/x").status_code == 503, "the name stands for nobody any more")


def test_of_one_address_so_much_at_once_and_no_more() -> None:
    with StandIn(200) as behind, running_nginx(UPSTREAM_SERVERS=behind.address, REQUESTS_PER_S=1) as nginx:
        with nginx.client() as client:
            answers = [client.get("/api/v1/status") for _ in range(40)]
            refused = [answer for answer in answers if answer.status_code == 429]
            assert 10 <= len(answers) - len(refused) < 40
            assert refused[0].headers["Retry-After"] == "1"
            assert "Try again in a second" in refused[0].json()["detail"]
            assert client.get("/static/assets/x.js").status_code == 200  # a page has many of these
        with nginx.client("127.0.0.9") as another:
            assert another.get("/api/v1/status").status_code == 200


def test_of_one_address_so_many_connections_and_no_more() -> None:
    with StandIn(200) as behind, running_nginx(UPSTREAM_SERVERS=behind.address, CONNECTIONS=2) as nginx:
        begun = b"POST /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"

        def third(address: str) -> int:
            """The status of a request beside two that have not been sent to their end."""
            with ExitStack() as stack:
                for _ in range(2):
                    sent = stack.enter_context(socket.create_connection(("127.0.0.1", nginx.port), 30))
                    sent.sendall(begun)
                return stack.enter_context(nginx.client(address)).get("/api/x").status_code

        wait_until(lambda: third("127.0.0.1") == 429, "there is no room for a third")
        assert third("127.0.0.9") == 200
