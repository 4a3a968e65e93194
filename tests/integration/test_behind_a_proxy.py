"""One server behind a proxy: whom it believes, and where it says that it is."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.people import PASSWORD, add_user, administrator, bearer
from tests.support.processes import ServerProcess

PUBLIC = "https://fl.example.org/study"
BY_PROXY = {
    "Host": "localhost:5000",
    "X-Forwarded-For": "203.0.113.5",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "fl.example.org",
}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that believes the proxies of this machine."""
    flags = ("--host", "0.0.0.0", "--public-url", PUBLIC, "--trusted-proxy", "127.0.0.0/8")
    server = ServerProcess(*flags, home=tmp_path_factory.mktemp("named"))
    yield server
    server.end()


def test_the_first_administrator_is_sent_to_the_public_url(named: ServerProcess) -> None:
    named.wait_for_output(rf"{PUBLIC}/#setup=\S+")


def test_invitations_name_the_public_host(named: ServerProcess) -> None:
    with administrator(named) as admin:
        made = admin.post("/api/v1/invitations", json={"label": "a site"}).json()
        command = admin.get("/api/v1/status").json()["join_command"]
    assert f"fl.example.org:{named.link_port}" in made["text"]
    assert command.endswith(f"--server fl.example.org:{named.link_port}")
    assert "<svg" in made["qr"]


def test_the_cookie_is_for_the_public_path_and_https(named: ServerProcess) -> None:
    add_user(named, "ann", "viewer")
    with httpx.Client(base_url=named.url, headers=BY_PROXY) as browser:
        answer = browser.post("/api/v1/login", json={"name": "ann", "password": PASSWORD})
        page = browser.get("/")
        moved = browser.get("/api/docs")
    assert answer.status_code == 200, answer.text
    cookie = answer.headers["Set-Cookie"]
    assert "; Path=/study/;" in cookie
    assert "; Secure" in cookie
    assert 'src="/study/static/assets/' in page.text
    assert moved.headers["Location"] == "/study/api/redoc"


def test_pages_of_the_public_url_may_ask_and_no_others(named: ServerProcess) -> None:
    with administrator(named) as admin:
        for origin, status in (
            ("https://fl.example.org", 200),
            ("http://fl.example.org.evil.example", 403),
            ("https://evil.example", 403),
        ):
            answer = admin.get("/api/v1/status", headers={"Origin": origin, "Host": "localhost:5000"})
            assert answer.status_code == status, origin


def test_the_address_that_the_named_proxy_tells_is_in_the_audit_log(named: ServerProcess) -> None:
    with administrator(named) as admin:
        run = admin.post("/api/v1/runs", json={}, headers=BY_PROXY).json()
        admin.post(
            f"/api/v1/runs/{run['id']}/stop", headers=BY_PROXY | {"X-Forwarded-For": "6.6.6.6, 203.0.113.8"}
        )
        entries = [each["fields"] for each in admin.get("/api/v1/audit/entries").json()["entries"]]
    addresses = {
        each["command"]: each["address"]
        for each in entries
        if each.get("run") == run["id"]
        if "command" in each
    }
    assert addresses == {"start": "203.0.113.5", "stop": "203.0.113.8"}


def test_what_anybody_else_says_of_himself_is_not_believed(session_server: ServerProcess) -> None:
    """No proxy is named here."""
    with administrator(session_server) as admin:
        key = admin.headers["Authorization"].partition(" ")[2]
    with bearer(session_server, key) as liar:
        spoofed = BY_PROXY | {"Host": f"localhost:{session_server.port}", "X-Forwarded-Prefix": "/elsewhere"}
        run = liar.post("/api/v1/runs", json={}, headers=spoofed).json()
        liar.post(f"/api/v1/runs/{run['id']}/stop")
        entries = [each["fields"] for each in liar.get("/api/v1/audit/entries").json()["entries"]]
        page = liar.get("/", headers=spoofed)
        rebound = liar.get(
            "/api/v1/status", headers={"Host": "evil.example", "X-Forwarded-Host": "localhost"}
        )
    (started,) = [each for each in entries if each.get("run") == run["id"] and each.get("command") == "start"]
    assert started["address"] == "127.0.0.1"
    assert 'src="/static/assets/' in page.text
    assert rebound.status_code == 403
    with httpx.Client(base_url=session_server.url) as owner:  # its own user, but for what it says
        assert owner.get("/api/v1/me").status_code == 200
        for name, value in spoofed.items():
            if name != "Host":
                assert owner.get("/api/v1/me", headers={name: value}).status_code == 401, name
