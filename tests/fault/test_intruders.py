"""Who tries to get in, or to do more than they may, at the page, REST and the socket: each is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import socketio

from app.auth.limits import PER_ADDRESS
from tests.support.api import Api
from tests.support.other_user import as_other_user, ask_as_other_user, needs_root
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
    user_of,
)
from tests.support.processes import ServerProcess
from tests.support.raw_link import RawClient

DECISIONS = ("approve", "reject", "revoke", "readmit")
SPEC = json.dumps({"num_rounds": 1})
JSON = {"Content-Type": "application/json"}


server = page_server()
"""Open to who started it, as on everybody's own machine."""


@pytest.fixture
def visitor(server: ServerProcess) -> Iterator[httpx.Client]:
    with browser(server) as client:
        yield client


def runs_of(server: ServerProcess) -> list[Any]:
    api = Api(server.url)
    try:
        runs: list[Any] = api.get("/runs")["runs"]
        return runs
    finally:
        api.close()


def refused(server: ServerProcess, code: str) -> int:
    """How often somebody was refused so far, for this reason."""
    with administrator(server) as admin:
        count: int = admin.get("/api/v1/status").json()["refused"].get(code, 0)
        return count


# another user of the machine


@needs_root
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/v1/runs", None),
        ("POST", "/api/v1/runs", SPEC),
        ("POST", "/api/v1/users", json.dumps({"name": "mallory", "role": "admin", "password": PASSWORD})),
        ("POST", "/v1/control/list-runs", ""),
        ("GET", "/socket.io/?EIO=4&transport=polling", None),
    ],
)
def test_another_user_of_the_machine_is_refused(
    server: ServerProcess, method: str, path: str, body: str | None
) -> None:
    before = refused(server, "page-unknown")

    answer = ask_as_other_user(server.port, method, path, JSON if body is not None else {}, body)

    assert answer.status == 401
    assert json.loads(answer.text)["status"] == 401
    assert refused(server, "page-unknown") == before + 1
    assert runs_of(server) == []


@needs_root
@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Origin", "Cookie", "Host"])
def test_nothing_that_another_user_says_of_himself_helps(server: ServerProcess, header: str) -> None:
    said = {"Origin": f"http://127.0.0.1:{server.port}", "Host": "localhost", "Cookie": "fedloom=root"}
    answer = ask_as_other_user(
        server.port, "POST", "/api/v1/runs", JSON | {header: said.get(header, "127.0.0.1")}, SPEC
    )

    assert answer.status == 401
    assert runs_of(server) == []


@needs_root
def test_who_closes_the_connection_before_the_answer_does_not_pass_for_root(server: ServerProcess) -> None:
    """The kernel says of a socket that was closed that it is root's, as whom this server runs."""
    as_other_user(
        f"""
body = {SPEC!r}
head = "POST /api/v1/runs HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Type: application/json\\r\\n"
for _ in range(300):
    s = socket.create_connection(("127.0.0.1", {server.port}))
    s.sendall((head + "Content-Length: %d\\r\\n\\r\\n" % len(body) + body).encode())
    s.close()
"""
    )
    with administrator(server) as admin:  # so that all of these were answered before
        assert admin.get("/api/v1/status").status_code == 200

    assert runs_of(server) == []


@needs_root
def test_the_server_leaves_nothing_that_another_user_could_read(server: ServerProcess) -> None:
    """As far as the folder itself lets anybody in, which a test makes sure of."""
    server.home.chmod(0o755)
    readable = [
        str(path.relative_to(server.home))
        for path in server.home.rglob("*")
        if path.is_file() and path.stat().st_mode & 0o077 and path.suffix != ".lock"
    ]
    secret = {"page", "keys/page-key", "keys/server.pem", "invitation", "fedloom.db", "fedloom.db-wal"}

    assert secret.isdisjoint(readable)


def test_what_a_proxy_brings_is_not_who_started_the_server(
    server: ServerProcess, visitor: httpx.Client
) -> None:
    """Its connection is this user's, its requests are anybody's."""
    for header in (
        "X-Forwarded-For",
        "X-Real-IP",
        "Forwarded",
        "Via",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
    ):
        answer = httpx.get(f"{server.url}/api/v1/me", headers={header: "localhost"}, trust_env=False)
        assert answer.status_code == 401, header


def test_a_name_that_a_page_elsewhere_has_given_this_machine_opens_nothing(server: ServerProcess) -> None:
    for host in ("evil.example", f"evil.example:{server.port}", "localhost.evil.example"):
        answer = httpx.get(f"{server.url}/api/v1/me", headers={"Host": host}, trust_env=False)
        assert answer.status_code == 403, host


@pytest.mark.parametrize(
    "shown", ["Bearer wrong", "Bearer", "Basic cm9vdDpyb290", "bearer \xff", "Bearer a b", ""]
)
def test_a_token_that_does_not_hold_is_not_made_up_for_by_the_connection(
    server: ServerProcess, shown: str
) -> None:
    answer = httpx.get(
        f"{server.url}/api/v1/me", headers={b"Authorization": shown.encode("latin-1")}, trust_env=False
    )

    assert answer.status_code == 401
    assert "The token in the header" in answer.json()["detail"]


# more than a role allows


def test_a_viewer_starts_nothing_and_an_operator_manages_nobody(server: ServerProcess) -> None:
    with user_of(server, "vera", "viewer") as vera, user_of(server, "otto", "operator") as otto:
        start = vera.post("/api/v1/runs", json={"num_rounds": 1})
        stop = vera.post("/api/v1/runs/any/stop")
        flower = vera.post("/v1/control/start-run")
        assert [answer.status_code for answer in (start, stop, flower)] == [403] * 3
        assert "takes the role operator" in start.json()["detail"]
        for client in (vera, otto):
            asked = [
                client.get("/api/v1/users"),
                client.post("/api/v1/users", json={"name": "x", "role": "admin", "password": PASSWORD}),
                client.patch(f"/api/v1/users/{'otto' if client is otto else 'vera'}", json={"role": "admin"}),
                client.delete("/api/v1/users/root"),
                client.get("/api/v1/tokens"),
                client.post("/api/v1/tokens", json={"label": "x", "role": "admin"}),
                *(client.post(f"/api/v1/clients/anybody/{deed}", json={}) for deed in DECISIONS),
                client.post("/api/v1/invitations", json={"kind": "reusable"}),
                client.post("/api/v1/invitations/0123abcd/revoke"),
                client.post("/api/v1/next-key"),
            ]
            assert [answer.status_code for answer in asked] == [403] * len(asked)
    assert runs_of(server) == []


def test_an_operator_who_tries_to_revoke_sends_nobody_away(server: ServerProcess) -> None:
    """By REST, and by a token of their own that says admin; the socket has no event that changes anything."""
    with RawClient(server.home) as link, administrator(server) as admin:
        assert link.hello("target").WhichOneof("kind") == "welcome"
        with user_of(server, "otto", "operator") as otto, OpenPage(otto) as page:
            answer = otto.post("/api/v1/clients/target/revoke", json={})
            page.say("revoke", {"client": "target"})
            page.say("client_update", {"id": "target", "membership": "revoked"})
            assert otto.get("/api/v1/me").json()["role"] == "operator"

        assert answer.status_code == 403
        assert refused(server, "page-forbidden") > 0
        assert "takes the role admin" in answer.json()["detail"]
        (target,) = [
            each for each in admin.get("/api/v1/clients").json()["clients"] if each["id"] == "target"
        ]
        assert (target["membership"], target["state"]) == ("admitted", "idle")
        entries = admin.get("/api/v1/audit/entries", params={"limit": 200}).json()["entries"]
        assert [entry for entry in entries if entry["kind"] == "client-revoked"] == []


def test_a_token_cannot_make_another_that_outlives_a_demotion(server: ServerProcess) -> None:
    with user_of(server, "dora", "admin") as dora, administrator(server) as admin:
        first = dora.post("/api/v1/tokens", json={"label": "one", "role": "admin"}).json()["token"]
        with bearer(server, first) as program:
            second = program.post("/api/v1/tokens", json={"label": "two", "role": "admin"}).json()["token"]
        assert admin.patch("/api/v1/users/dora", json={"role": "viewer"}).status_code == 200
        for token in (first, second):
            with bearer(server, token) as program:
                assert program.get("/api/v1/users").status_code == 403


@pytest.mark.parametrize(
    "change",
    ["demoted", "removed", "logged out", "another password"],
    ids=lambda change: change.replace(" ", "-"),
)
def test_an_open_socket_ends_with_the_right_to_it(server: ServerProcess, change: str) -> None:
    with ExitStack() as stack:
        dana = stack.enter_context(user_of(server, "dana", "operator"))
        other = stack.enter_context(user_of(server, "other", "viewer"))
        admin = stack.enter_context(administrator(server))
        page = stack.enter_context(OpenPage(dana))
        stays = stack.enter_context(OpenPage(other))
        match change:
            case "demoted":
                done = admin.patch("/api/v1/users/dana", json={"role": "viewer"})
            case "removed":
                done = admin.delete("/api/v1/users/dana")
            case "logged out":
                done = dana.post("/api/v1/logout")
            case _:
                done = admin.patch("/api/v1/users/dana", json={"password": "another long one"})
        assert done.is_success, done.text
        page.wait_until_ended()
        assert not stays.ended
        if change != "demoted":
            with pytest.raises(socketio.exceptions.ConnectionError):
                OpenPage(dana)


def test_a_socket_without_a_session_is_not_let_in(server: ServerProcess, visitor: httpx.Client) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        OpenPage(visitor)
    visitor.cookies.set("fedloom-00000000", "guess")
    with pytest.raises(socketio.exceptions.ConnectionError):
        OpenPage(visitor)


def test_a_token_that_expires_ends_its_socket(server: ServerProcess) -> None:
    with administrator(server) as admin:
        body = {"label": "brief", "role": "viewer", "expires_in_s": 3.0}
        token = admin.post("/api/v1/tokens", json=body).json()["token"]
    with bearer(server, token) as program:
        with OpenPage(program) as page:
            page.wait_until_ended()
        assert program.get("/api/v1/me").status_code == 401


# other sites' pages


@pytest.mark.parametrize("proof", [None, "", "wrong", "\xff"])
def test_a_change_by_cookie_alone_is_refused(server: ServerProcess, proof: str | None) -> None:
    with user_of(server, "cleo", "operator") as cleo:
        del cleo.headers[CSRF]
        headers = {} if proof is None else {CSRF.encode(): proof.encode("latin-1")}
        answer = cleo.post("/api/v1/runs", json={"num_rounds": 1}, headers=headers)
        assert answer.status_code == 403
        assert CSRF in answer.json()["detail"]
    assert runs_of(server) == []


def test_the_proof_of_another_session_proves_nothing(server: ServerProcess, visitor: httpx.Client) -> None:
    with user_of(server, "cleo", "operator") as cleo, user_of(server, "dan", "operator") as dan:
        answer = cleo.post("/api/v1/runs", json={"num_rounds": 1}, headers={CSRF: dan.headers[CSRF]})

        assert answer.status_code == 403


@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
def test_pages_elsewhere_neither_post_nor_log_in_nor_listen(
    server: ServerProcess, foreign: dict[str, str]
) -> None:
    before = refused(server, "page-forbidden")
    with user_of(server, "cleo", "operator") as cleo:
        for path, body in (
            ("/api/v1/runs", {"num_rounds": 1}),
            ("/api/v1/login", {"name": "root", "password": PASSWORD}),
        ):
            assert cleo.post(path, json=body, headers=foreign).status_code == 403
        assert cleo.get("/socket.io/?EIO=4&transport=polling", headers=foreign).status_code == 403
        if "Origin" in foreign:
            cleo.headers.update(foreign)
            with pytest.raises(socketio.exceptions.ConnectionError):
                OpenPage(cleo)
            del cleo.headers["Origin"]
    assert refused(server, "page-forbidden") >= before + 3
    assert runs_of(server) == []


def test_a_cookie_that_was_planted_is_not_the_one_that_logs_in(
    server: ServerProcess, visitor: httpx.Client
) -> None:
    """Session fixation: who knows the cookie from before knows nothing afterwards."""
    with user_of(server, "mallory", "viewer") as mallory:
        planted = dict(mallory.cookies)
        visitor.cookies.update(planted)
        log_in(visitor, "root")
        (name,) = planted
        assert [cookie.value for cookie in visitor.cookies.jar if cookie.name == name] != list(
            planted.values()
        )
        assert mallory.get("/api/v1/me").status_code == 401  # the planted session has ended


# guessing


def test_passwords_cannot_be_guessed_and_nobody_is_locked_out(server: ServerProcess) -> None:
    add_user(server, "victim", "viewer")
    guess = {"name": "victim", "password": "a wild guess"}
    with browser(server) as attacker, browser(server) as victim:
        attacker.headers["X-Forwarded-For"] = "203.0.113.66"
        answers = [attacker.post("/api/v1/login", json=guess) for _ in range(PER_ADDRESS + 3)]
        assert [answer.status_code for answer in answers] == [401] * PER_ADDRESS + [429] * 3
        assert int(answers[-1].headers["Retry-After"]) > 0
        right = attacker.post("/api/v1/login", json={**guess, "password": PASSWORD})
        assert right.status_code == 429  # also the right one: it could be told by the difference
        assert log_in(victim, "victim")["name"] == "victim"
    with administrator(server) as admin:
        admin.delete("/api/v1/users/victim")


def test_a_name_that_exists_is_refused_as_one_that_does_not(server: ServerProcess) -> None:
    with browser(server) as client:
        client.headers["X-Forwarded-For"] = "203.0.113.67"
        answers = [
            client.post("/api/v1/login", json={"name": name, "password": "a wild guess"})
            for name in ("root", "nobody-at-all", "no such name!", "\u2603")
        ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1


def test_many_logins_at_once_do_not_hold_up_the_page(server: ServerProcess) -> None:
    """Each takes a tenth of a second of a processor. The page is answered while not one of them is."""
    with ExitStack() as stack:
        connections = []
        for number in range(8):
            client = stack.enter_context(browser(server))
            client.headers["X-Forwarded-For"] = f"203.0.113.{100 + number}"
            connections.append(client)
        pages = stack.enter_context(httpx.Client(base_url=server.url, trust_env=False))
        executor = stack.enter_context(ThreadPoolExecutor(len(connections)))
        logins = [
            executor.submit(client.post, "/api/v1/login", json={"name": "root", "password": "a wild guess"})
            for client in connections
        ]
        answered = 0
        while not all(login.done() for login in logins):
            assert pages.get("/healthz").status_code == 200
            answered += not all(login.done() for login in logins)
        assert answered > 1
        assert {login.result().status_code for login in logins} == {401}
