"""What strangers try at the containers' nginx, with a federation and a dashboard behind it."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import NamedTuple

import httpx
import psutil
import pytest

from app.auth.page_key import PAGE_KEY
from shared.security.server_identity import KEYS
from tests.support.dashboards import Dashboard
from tests.support.nginx import Nginx, running_nginx
from tests.support.people import PASSWORD, add_user
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

STRANGER, CURIOUS = "127.0.0.9", "127.0.0.10"
PUBLIC = "https://fl.example.org/study/fedloom"
NAMED = {"Host": "fl.example.org"}
SPOOFED = {
    "Forwarded": "for=203.0.113.5",
    "X-Forwarded-For": "203.0.113.5",
    "X_Forwarded_For": "203.0.113.6",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Proto": "https",
    "X-Real-IP": "203.0.113.7",
    "X-FedLoom-For-Another": "1",
    "X-FedLoom-Replica-Key": "x" * 64,
}
SLOW = 30
HALF_REQUESTS = (
    b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
)


class Behind(NamedTuple):
    """A dashboard behind two nginx: by HTTP, and by HTTPS below a path."""

    federation: ServerProcess
    dashboard: Dashboard
    plain: Nginx
    secure: Nginx

    @property
    def key(self) -> str:
        return (self.federation.home / KEYS / PAGE_KEY).read_text().strip()

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    home = tmp_path_factory.mktemp("federation")
    with ExitStack() as stack:
        federation = ServerProcess("--role", "federation", home=home)
        stack.callback(federation.end)
        # As in a container: it listens on all addresses, so that any name could be its own.
        proxy = ("--trusted-proxy", "127.0.0.1")
        dashboard = Dashboard(*proxy, home=home, federation=federation.url, address="0.0.0.0")
        stack.callback(dashboard.end)
        listed = f"127.0.0.1:{dashboard.port}"
        plain = stack.enter_context(running_nginx(UPSTREAM_SERVERS=listed, REQUESTS_PER_S=10_000))
        secure = stack.enter_context(running_nginx(https=True, UPSTREAM_SERVERS=listed, PUBLIC_URL=PUBLIC))
        made = Behind(federation, dashboard, plain, secure)
        with plain.client() as client:
            wait_until(lambda: '"ok"' in client.get("/healthz").text, "the dashboard shows the federation")
        yield made


@pytest.fixture(scope="module", autouse=True)
def slow(behind: Behind) -> Iterator[list[socket.socket]]:
    """Connections of those who begin a request, and do not end it, while all else goes on."""
    with ExitStack() as stack:
        address = ("127.0.0.1", behind.plain.port)
        made = [stack.enter_context(socket.create_connection(address, 60)) for _ in range(SLOW)]
        for number, connection in enumerate(made):
            connection.sendall(HALF_REQUESTS[number % len(HALF_REQUESTS)])
        yield made


def test_who_sends_slowly_takes_no_connection_of_a_dashboard(behind: Behind) -> None:
    with behind.plain.client() as client:
        assert client.get("/healthz").status_code == 200
    dashboard = psutil.Process(behind.dashboard.process.pid)
    taken = [each for each in dashboard.net_connections() if each.laddr.port == behind.dashboard.port]
    assert len([each for each in taken if each.status == psutil.CONN_ESTABLISHED]) < SLOW // 2


def test_nobody_says_of_himself_where_he_comes_from(behind: Behind) -> None:
    with behind.plain.client(STRANGER, headers=behind.bearer | SPOOFED) as liar:
        run = liar.post("/api/v1/runs", json={}).json()
        page = liar.get("/")
        moved = liar.get("/api/docs")
        liar.post(f"/api/v1/runs/{run['id']}/stop")
        entries = [each["fields"] for each in liar.get("/api/v1/audit/entries").json()["entries"]]
        anybody = liar.get("/api/v1/me", headers={"Authorization": ""})
    told = {each["address"] for each in entries if each.get("run") == run["id"] and "command" in each}
    assert told == {STRANGER}
    assert anybody.status_code == 401
    assert 'src="/static/assets/' in page.text
    assert moved.headers["Location"] == "/api/redoc"


def test_the_cookie_is_secure_where_people_come_by_https(behind: Behind) -> None:
    add_user(behind.federation, "ann", "viewer")
    cookies = []
    for nginx, path, headers in ((behind.plain, "", {}), (behind.secure, "/study/fedloom", NAMED)):
        with nginx.client(headers=headers) as browser:
            answer = browser.post(f"{path}/api/v1/login", json={"name": "ann", "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            cookies.append(answer.headers["Set-Cookie"])
    assert "; Secure" not in cookies[0]
    assert "; Path=/;" in cookies[0]
    assert "; Secure" in cookies[1]
    assert "; Path=/study/fedloom/;" in cookies[1]


def test_browsers_are_told_to_stay_with_https_where_they_came_by_it(behind: Behind) -> None:
    with behind.secure.client(headers=NAMED) as client:
        for path in ("/study/fedloom/", "/study/fedloom/internal", "/study/fedloom/api/v1/nothing"):
            told = client.get(path).headers.get_list("Strict-Transport-Security")
            assert told == ["max-age=15552000"], path
        assert (
            "Strict-Transport-Security"
            not in client.get("/study/fedloom/", headers={"Host": "localhost"}).headers
        )
    with httpx.Client(base_url=behind.secure.url, trust_env=False) as plain:
        moved = plain.get("/study/fedloom/runs?x=1", headers=NAMED)
        assert moved.status_code == 308
        assert moved.headers["Location"] == f"{PUBLIC}/runs?x=1"
    with behind.plain.client() as client:
        assert "Strict-Transport-Security" not in client.get("/").headers


def test_what_a_browser_is_told_is_told_once(behind: Behind) -> None:
    with behind.plain.client() as client:
        page = client.get("/")
        asset = page.text.partition('src="')[2].partition('"')[0]
        for answer in (page, client.get(asset), client.get("/api/v1/me")):
            for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"):
                assert len(answer.headers.get_list(name)) == 1, (answer.url, name)
            assert answer.headers["Server"] == "nginx"


@pytest.mark.parametrize(
    "path",
    [
        "/internal",
        "/internal/v1/events",
        "//internal/v1/events",
        "/./internal/v1/events",
        "/api/../internal/v1/events",
        "/api/%2e%2e/internal/v1/events",
        "/api/..%2finternal/v1/events",
        "/%69nternal/v1/events",
        "/internal%2fv1/events",
        "/api/v1/..%2f..%2finternal/v1/events",
        "/static/assets/..%2f..%2f..%2finternal/v1/events",
        "/static/assets/%2e%2e/%2e%2e/templates/index.html",
        "/internal/../internal/v1/events",
        "/..%5cinternal/v1/events",
    ],
)
def test_what_is_between_federation_and_dashboards_is_out_of_reach(behind: Behind, path: str) -> None:
    status = _raw(behind.plain, f"GET {path} HTTP/1.1", behind.bearer | SPOOFED)
    assert status in (400, 404)


def test_another_name_or_another_sites_page_is_refused(behind: Behind) -> None:
    with behind.plain.client(headers=behind.bearer) as client:
        other = client.get("/api/v1/status", headers={"Host": "evil.example"})
        assert other.status_code == 421
        assert "FEDLOOM_SERVER_NAMES" in other.json()["detail"]
        own = f"localhost:{behind.plain.port}"
        for host in (own, f"LOCALHOST:{behind.plain.port}", "127.0.0.1"):
            assert client.get("/api/v1/status", headers={"Host": host}).status_code == 200, host
        for origin, status in (
            (f"http://{own}", 200),
            ("http://localhost", 403),  # another port
            ("http://evil.example", 403),
            ("null", 403),
        ):
            answer = client.get("/api/v1/status", headers={"Origin": origin})
            assert answer.status_code == status, origin
            handshake = {"Origin": origin, "Connection": "Upgrade", "Upgrade": "websocket"} | {
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                "Sec-WebSocket-Version": "13",
            }
            got = _raw(
                behind.plain,
                "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
                behind.bearer | handshake,
                host=own,
            )
            assert got == (101 if status == 200 else 403), origin
    assert _raw(behind.plain, "GET / HTTP/1.0", {}, host=None) == 421


def test_a_key_in_an_address_lies_in_no_log(behind: Behind) -> None:
    with behind.plain.client(CURIOUS) as client:
        let_in = client.get(f"/?token={behind.key}")
        client.get(f"/runs?token={behind.key}")
        client.get(f"/api/v1/me?token={behind.key}")
        client.get(f"/{'x' * 20}%3Ftoken={behind.key[:4]}")
    assert let_in.status_code == 303
    wait_until(lambda: "x" * 20 in behind.plain.access_log, "they are in the log")
    assert behind.key not in behind.plain.access_log + behind.plain.said
    first, *others = [each for each in behind.plain.requests if each["address"] == CURIOUS]
    assert [each["path"] for each in others[:2]] == ["/runs", "/api/v1/me"]
    assert (first["path"], first["status"], first["method"]) == ("/", 303, "GET")


def test_what_is_too_large_is_turned_away_before_a_dashboard_has_it(behind: Behind) -> None:
    with behind.plain.client(headers=behind.bearer) as client:
        largest = client.post(
            "/api/v1/runs", content=b" " * (1 << 20), headers={"Content-Type": "text/plain"}
        )
        larger = client.post("/api/v1/runs", content=b" " * ((1 << 20) + 1))
        app = client.post("/v1/control/start-run", content=b" " * (11 << 20))
        larger_app = client.post("/v1/control/start-run", content=b" " * ((11 << 20) + 1))
        line = client.get(f"/api/v1/status?x={'y' * 9_000}")
    assert (larger.status_code, larger_app.status_code) == (413, 413)
    assert "nothing was done" in larger.json()["detail"]
    assert largest.status_code not in (200, 413)
    assert app.status_code not in (200, 413)
    assert line.status_code == 414
    with behind.plain.client(headers=behind.bearer) as client:
        assert client.get("/api/v1/runs").json()["runs"] is not None


def test_files_come_compressed_once_and_are_kept_by_the_proxy(behind: Behind) -> None:
    nginx = behind.plain
    with nginx.client() as client:
        asset = client.get("/").text.partition('src="')[2].partition('"')[0]
        contents, hits = {}, len(nginx.requests)
        for accepted, encoding in (
            ("gzip, br", "br"),
            ("gzip", "gzip"),
            ("br;q=0, gzip", "gzip"),
            ("", None),
        ):
            for _ in range(2):
                answer = client.get(asset, headers={"Accept-Encoding": accepted})
                assert answer.status_code == 200
                assert answer.headers.get("Content-Encoding") == encoding, accepted
                assert answer.headers.get_list("Vary") == ["Accept-Encoding"]
                assert "immutable" in answer.headers["Cache-Control"]
                contents[accepted] = answer.content if encoding != "br" else None
        assert contents["gzip"] == contents[""] == contents["br;q=0, gzip"]
        fresh = client.get(asset, headers={"If-None-Match": answer.headers["ETag"], "Accept-Encoding": ""})
        assert fresh.status_code == 304
        missing = client.get("/static/assets/nothing.js")
        assert "immutable" not in missing.headers.get("Cache-Control", "")
        page = client.get("/", headers={"Accept-Encoding": "gzip"})
        assert page.headers.get_list("Content-Encoding") in ([], ["gzip"])
    wait_until(lambda: len(nginx.requests) >= hits + 11, "they are in the log")
    kept = [each["cache"] for each in nginx.requests if each["path"] == asset]
    assert kept.count("MISS") == 3  # br, gzip and as it is
    assert kept.count("HIT") == len(kept) - 3


def test_large_answers_are_compressed_once(behind: Behind) -> None:
    with behind.plain.client(headers=behind.bearer) as client:
        with client.stream("GET", "/api/openapi.json", headers={"Accept-Encoding": "gzip"}) as answer:
            content = b"".join(answer.iter_raw())
        assert answer.headers.get_list("Content-Encoding") == ["gzip"]
        assert gzip.decompress(content).startswith(b"{")


def test_those_who_send_slowly_are_given_up(slow: list[socket.socket]) -> None:
    for connection in slow:
        with suppress(ConnectionResetError):
            while connection.recv(4_096):
                """Until the proxy ends it."""


def _raw(nginx: Nginx, line: str, headers: dict[str, str], host: str | None = "localhost") -> int:
    """The status of an answer to a request as no library would send it."""
    named = {"Host": host} if host else {}
    head = "".join(f"{name}: {value}\r\n" for name, value in (named | headers).items())
    with socket.create_connection(("127.0.0.1", nginx.port), 30) as connection:
        connection.sendall(f"{line}\r\n{head}\r\n".encode())
        return int(connection.makefile("rb").readline().split()[1])
