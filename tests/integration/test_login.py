"""Who may open the page of a real server, on both web servers: by connection, key, password and token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.auth.page_key import PAGE_KEY
from tests.support.other_user import ask_as_other_user, needs_root
from tests.support.people import (
    CSRF,
    PASSWORD,
    OpenPage,
    add_user,
    administrator,
    bearer,
    browser,
    log_in,
    page_server,
    run_users,
    user_of,
)
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

server = page_server("--auth")


@pytest.fixture
def visitor(server: ServerProcess) -> Iterator[httpx.Client]:
    """A browser that nobody has logged in with."""
    with browser(server) as client:
        yield client


def key_of(server: ServerProcess) -> str:
    return (server.home / "keys" / PAGE_KEY).read_text().strip()


def test_who_started_the_server_needs_nothing(session_server: ServerProcess) -> None:
    with httpx.Client(base_url=session_server.url, trust_env=False) as client:
        me = client.get("/api/v1/me").json()

    assert me == {"name": None, "role": "admin", "by": "owner", "csrf": None}


@needs_root
def test_another_user_of_the_machine_does(session_server: ServerProcess) -> None:
    answer = ask_as_other_user(session_server.port, "GET", "/api/v1/me")

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="FedLoom"'
    assert "the address with the key" in answer.text
    assert ask_as_other_user(session_server.port, "GET", "/").status == 200  # which shows the login


def test_with_auth_so_does_who_started_it(server: ServerProcess) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        answer = client.get("/api/v1/status")

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "Authorization: Bearer TOKEN" in answer.json()["detail"]


def test_the_printed_address_opens_the_page_and_disappears_from_it(
    server: ServerProcess, visitor: httpx.Client
) -> None:
    found = re.search(r"http://localhost:\d+/\?token=(\S+)", server.output)
    assert found is not None
    assert found[1] == key_of(server)

    answer = visitor.get("/", params={"token": found[1]})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    (cookie,) = answer.headers.get_list("Set-Cookie")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert found[1] not in cookie
    me = visitor.get("/api/v1/me").json()
    assert (me["role"], me["by"]) == ("admin", "key")
    with OpenPage(visitor) as page:
        assert page.snapshots


def test_no_secret_is_in_the_log_that_the_page_shows(server: ServerProcess) -> None:
    with administrator(server) as admin:
        logs = admin.get("/api/v1/logs", params={"limit": 5_000}).text

    assert key_of(server) not in logs
    assert "FedLoom is ready" in logs


@pytest.mark.parametrize("key", ["", "wrong", "\u2603", "x" * 5_000])
def test_a_wrong_key_leads_to_the_login(visitor: httpx.Client, key: str) -> None:
    answer = visitor.get("/", params={"token": key})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/#key=wrong")
    assert "Set-Cookie" not in answer.headers


def test_a_user_logs_in_works_and_logs_out(server: ServerProcess, visitor: httpx.Client) -> None:
    with user_of(server, "olga", "operator") as olga:
        assert olga.get("/api/v1/me").json()["name"] == "olga"
        run = olga.post("/api/v1/runs", json={})
        assert run.status_code == 201, run.text
        assert olga.post(f"/api/v1/runs/{run.json()['id']}/stop").status_code == 200
        cookies = dict(olga.cookies)
        assert olga.post("/api/v1/logout").status_code == 204
        assert olga.cookies == {}

    visitor.cookies.update(cookies)
    assert visitor.get("/api/v1/me").status_code == 401


def test_upper_case_and_spaces_in_a_name_do_not_matter(server: ServerProcess, visitor: httpx.Client) -> None:
    add_user(server, "Carol", "viewer")

    assert log_in(visitor, " cAROL ")["name"] == "carol"


def test_a_user_chooses_another_password(server: ServerProcess) -> None:
    with user_of(server, "nora", "viewer") as nora, browser(server) as elsewhere:
        log_in(elsewhere, "nora")
        wrong = nora.post("/api/v1/me/password", json={"old": "a wild guess", "new": "another long one"})
        assert wrong.status_code == 403
        done = nora.post("/api/v1/me/password", json={"old": PASSWORD, "new": "another long one"})
        assert done.status_code == 204, done.text
        assert nora.get("/api/v1/me").status_code == 200
        assert elsewhere.get("/api/v1/me").status_code == 401
        assert log_in(elsewhere, "nora", "another long one")["name"] == "nora"


def test_a_program_shows_a_token(server: ServerProcess) -> None:
    with administrator(server) as admin:
        made = admin.post("/api/v1/tokens", json={"label": "ci", "role": "operator"}).json()
        with bearer(server, made["token"]) as program:
            assert program.get("/api/v1/me").json() == {
                "name": "ci",
                "role": "operator",
                "by": "token",
                "csrf": None,
            }
            assert program.post("/api/v1/runs", json={"num_rounds": 0}).status_code == 422
            assert program.get("/api/v1/users").status_code == 403
            with OpenPage(program) as page:
                assert admin.delete(f"/api/v1/tokens/{made['id']}").status_code == 204
                page.wait_until_ended()
            assert program.get("/api/v1/me").status_code == 401
        assert made["token"] not in admin.get("/api/v1/tokens").text


def test_sessions_and_tokens_outlive_a_restart(tmp_path: Path) -> None:
    first = ServerProcess("--auth", home=tmp_path)
    try:
        add_user(first, "root", "admin")
        with browser(first) as before:
            log_in(before, "root")
            token = before.post("/api/v1/tokens", json={"label": "ci", "role": "viewer"}).json()["token"]
            cookies, proof = dict(before.cookies), before.headers[CSRF]
    finally:
        first.end()
    second = ServerProcess("--auth", home=tmp_path)
    try:
        with (
            browser(second, cookies=cookies, headers={CSRF: proof}) as after,
            bearer(second, token) as program,
        ):
            assert after.get("/api/v1/me").json()["name"] == "root"
            assert program.get("/api/v1/me").json()["role"] == "viewer"
            assert after.post("/api/v1/logout").status_code == 204
    finally:
        second.end()


def test_beyond_loopback_the_first_administrator_is_made_by_an_address_that_works_once(
    tmp_path: Path,
) -> None:
    server = ServerProcess("--host", "0.0.0.0", home=tmp_path)
    try:
        found = server.wait_for_output(r"Make the first administrator.*\n\s+(\S+)/#setup=(\S+)\n")
        assert found[1].startswith("http://")
        assert "/?token=" not in server.output
        with browser(server) as visitor:
            wrong = visitor.post(
                "/api/v1/setup", json={"token": "guess", "name": "mallory", "password": PASSWORD}
            )
            weak = visitor.post("/api/v1/setup", json={"token": found[2], "name": "ada", "password": "short"})
            assert (wrong.status_code, weak.status_code) == (401, 422)
            made = visitor.post(
                "/api/v1/setup", json={"token": found[2], "name": "ada", "password": PASSWORD}
            )
            assert (made.status_code, made.json()["role"]) == (200, "admin")
            visitor.headers[CSRF] = made.json()["csrf"]
            assert [user["name"] for user in visitor.get("/api/v1/users").json()["users"]] == ["ada"]
        with browser(server) as second:
            again = second.post(
                "/api/v1/setup", json={"token": found[2], "name": "eve", "password": PASSWORD}
            )
            assert again.status_code == 401
    finally:
        server.end()
    started_again = ServerProcess("--host", "0.0.0.0", home=tmp_path)
    try:
        assert "#setup" not in started_again.output
        with browser(started_again) as visitor:
            assert log_in(visitor, "ada")["role"] == "admin"
    finally:
        started_again.end()


@pytest.mark.parametrize("running", [True, False], ids=["beside a server", "without one"])
def test_users_and_tokens_by_the_command_line(tmp_path: Path, running: bool) -> None:
    def users(*arguments: str, stdin: str = "") -> str:
        done = run_users(tmp_path, *arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    server = ServerProcess("--auth", home=tmp_path) if running else None
    try:
        assert "ada can log in as admin." in users("add", "ada", "--role", "admin", stdin=f"{PASSWORD}\n")
        assert "password: " in users("add", "ben", "--generate")
        assert "ben is operator." in users("role", "ben", "operator")
        assert users("list").split() == ["name", "role", "ada", "admin", "ben", "operator"]
        assert "another password" in users("password", "ben", stdin="another long one\n")
        refused = run_users(tmp_path, "remove", "ada")
        assert refused.returncode == 1
        assert refused.stderr.startswith("error: ada is the only administrator.")
        weak = run_users(tmp_path, "add", "eve", stdin="short\n")
        assert weak.returncode == 1
        assert "at least 10 characters" in weak.stderr
        users("remove", "ben")
        token = users("token", "add", "ci", "--role", "operator", "--days", "1").strip()
        assert users("token", "list").split()[4:7] != []
        assert "ci" in users("token", "list")
        server = server or ServerProcess("--auth", home=tmp_path)
        with bearer(server, token) as program, browser(server) as ada:
            assert program.get("/api/v1/me").json()["role"] == "operator"
            assert log_in(ada, "ada")["role"] == "admin"
            (listed,) = ada.get("/api/v1/tokens").json()["tokens"]
            users("token", "revoke", listed["id"])
            assert program.get("/api/v1/me").status_code == 401
        assert users("link").strip().endswith(f"/?token={key_of(server)}")
    finally:
        if server is not None:
            server.end()
    assert run_users(tmp_path, "link").returncode == 1


def test_a_page_that_is_let_in_again_goes_on_by_itself(server: ServerProcess) -> None:
    """What a change of role does to a page that is open: its socket is ended, and may come back."""
    with user_of(server, "rita", "operator") as rita, OpenPage(rita) as page, administrator(server) as admin:
        changed = admin.patch("/api/v1/users/rita", json={"role": "viewer"})
        assert changed.json()["role"] == "viewer"
        page.wait_until_ended()
        with OpenPage(rita) as again:
            wait_until(lambda: again.snapshots, "the page is let in as a viewer")
