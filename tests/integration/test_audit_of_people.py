"""What people and programs do at a real server's page, in its audit log: who, from where, and no secret."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.auth.page_key import PAGE_KEY
from shared.security.invitation import Invitation
from tests.support.api import Api, Json
from tests.support.people import (
    BY_PROXY,
    PASSWORD,
    administrator,
    bearer,
    browser,
    log_in,
    run_users,
    user_of,
)
from tests.support.processes import ServerProcess, run_command
from tests.support.raw_link import RawClient
from tests.support.waiting import wait_until

ADDRESS = "198.51.100.7"
"""Where `browser` has its requests come from."""

BY_KEY = "somebody with the server's key"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    server = ServerProcess("--auth", *BY_PROXY, home=tmp_path_factory.mktemp("audited"))
    yield server
    server.end()


@pytest.fixture
def admin(server: ServerProcess) -> Iterator[httpx.Client]:
    with administrator(server) as client:
        yield client


def entered(admin: httpx.Client, kind: str, **fields: object) -> Json:
    """The newest entry of a kind with these fields, once it is in the log."""
    found: list[Json] = []

    def is_there() -> bool:
        entries = admin.get("/api/v1/audit/entries", params={"limit": 200}).json()["entries"]
        of_kind = [entry["fields"] for entry in entries if entry["kind"] == kind]
        found[:] = [entry for entry in of_kind if fields.items() <= entry.items()]
        return bool(found)

    wait_until(is_there, f"{kind} with {fields} is in the log")
    return found[0]


def verified(data: bytes, folder: Path) -> str:
    """What `python -m app.audit verify` says of an export that it accepts."""
    file = folder / "audit.jsonl"
    file.write_bytes(data)
    done = run_command("-m app.audit", "verify", str(file), home=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_users_are_added_changed_and_removed_by_somebody(server: ServerProcess, admin: httpx.Client) -> None:
    with user_of(server, "olga", "admin") as olga:
        me = {"by": "user olga", "address": ADDRESS}
        olga.post("/api/v1/users", json={"name": "Vera", "role": "viewer", "password": PASSWORD})
        olga.patch("/api/v1/users/vera", json={"role": "operator"})
        olga.patch("/api/v1/users/vera", json={"password": "another long one"})
        olga.delete("/api/v1/users/vera")
        olga.post("/api/v1/me/password", json={"old": PASSWORD, "new": "another long one"})

        entered(admin, "user-removed", user="vera", **me)
    changes = {"user": "vera", "role": "operator", **me}
    assert entered(admin, "user-added", user="olga") == {
        "user": "olga",
        "role": "admin",
        "by": BY_KEY,
        "address": ADDRESS,
    }
    entered(admin, "user-added", user="vera", role="viewer", **me)
    entered(admin, "user-changed", password=False, **changes)
    entered(admin, "user-changed", password=True, **changes)
    entered(admin, "user-changed", user="olga", role="admin", password=True, **me)


def test_who_may_join_is_decided_by_somebody_and_no_secret_is_told(
    server: ServerProcess, admin: httpx.Client
) -> None:
    with user_of(server, "ines", "admin") as ines:
        me = {"by": "user ines", "address": ADDRESS}
        wish = {"kind": "reusable", "label": "Lyon", "max_uses": 3, "expires_s": None, "host": "lab.example"}
        made = ines.post("/api/v1/invitations", json=wish).json()
        token = Invitation.parse(made["text"]).token
        number = made["invitation"]["id"]
        with RawClient(server.home) as lyon:
            assert lyon.hello("lyon", token=token).WhichOneof("kind") == "welcome"
        for _ in range(2):
            ines.post(f"/api/v1/invitations/{number}/revoke")
        with RawClient(server.home) as late:
            assert late.hello("late", token="").WhichOneof("kind") == "refusal"
        key = ines.get("/api/v1/clients").json()["clients"][0]["key"]
        assert ines.post("/api/v1/clients/late/reject", json={"key": key}).status_code == 200
        assert ines.post("/api/v1/clients/lyon/revoke", json={}).status_code == 200
        assert ines.post("/api/v1/clients/lyon/revoke", json={}).status_code == 409
        assert ines.post("/api/v1/clients/lyon/readmit", json={}).status_code == 200

        readmitted = entered(admin, "client-readmitted", client="lyon", before=None, **me)

    invitation = {"invitation": number, "label": "Lyon"}
    entered(admin, "invitation-made", type="reusable", max_uses=3, expires_at=None, **invitation, **me)
    entered(admin, "invitation-used", invitation=number, client="lyon", key=readmitted["key"])
    entered(admin, "client-rejected", client="late", key=key, **me)
    entered(admin, "client-revoked", client="lyon", key=readmitted["key"], **me)
    entries = admin.get("/api/v1/audit/entries", params={"limit": 200}).json()["entries"]
    assert [entry["kind"] for entry in entries].count("invitation-revoked") == 1
    assert [entry["kind"] for entry in entries].count("client-revoked") == 1
    hashed = hashlib.sha256(token.encode()).hexdigest()
    assert token not in json.dumps(entries)
    assert hashed not in json.dumps(entries)


def test_what_was_refused_is_not_told_as_done(server: ServerProcess, admin: httpx.Client) -> None:
    with user_of(server, "vito", "viewer") as vito:
        assert vito.post("/api/v1/runs", json={}).status_code == 403
        run_id = admin.post("/api/v1/runs", json={}).json()["id"]
        assert admin.post(f"/api/v1/runs/{run_id}/stop").status_code == 200
        wait_until(
            lambda: admin.get(f"/api/v1/runs/{run_id}").json()["state"] == "stopped", "the run is stopped"
        )
        assert admin.post(f"/api/v1/runs/{run_id}/pause").status_code == 409
        assert admin.delete("/api/v1/users/nobody").status_code == 404

    entries = admin.get("/api/v1/audit/entries", params={"limit": 200}).json()["entries"]
    commands = [entry["fields"] for entry in entries if entry["kind"] == "run-commanded"]
    assert [each["command"] for each in commands if each["run"] == run_id] == ["stop", "start"]
    assert all(each["by"] != "user vito" for each in commands)
    assert all(entry["fields"].get("user") != "nobody" for entry in entries)


def test_logins_are_told_and_those_that_failed_once_each(server: ServerProcess, admin: httpx.Client) -> None:
    with user_of(server, "lena", "viewer"), browser(server) as visitor:
        visitor.headers["X-Forwarded-For"] = "203.0.113.5"
        for _ in range(3):
            wrong = visitor.post("/api/v1/login", json={"name": "lena", "password": "a wild guess"})
            assert wrong.status_code == 401
        visitor.post("/api/v1/login", json={"name": "my-own-password", "password": PASSWORD})
        log_in(visitor, "lena")
        visitor.get("/", params={"token": "a wrong key"})

        entered(admin, "login-refused", address="203.0.113.5", reason="wrong key", user=None)
    entered(admin, "logged-in", by="user lena", address="203.0.113.5")
    entered(admin, "login-refused", address="203.0.113.5", user=None, reason="wrong name or password")
    entries = admin.get("/api/v1/audit/entries", params={"limit": 200}).json()["entries"]
    kinds = [entry["kind"] for entry in entries if entry["fields"].get("user") == "lena"]
    assert kinds.count("login-refused") == 1
    assert "my-own-password" not in json.dumps(entries)


def test_whoever_comes_by_the_key_logs_in(server: ServerProcess, admin: httpx.Client) -> None:
    with browser(server) as visitor:
        key = (server.home / "keys" / PAGE_KEY).read_text().strip()
        assert visitor.get("/", params={"token": key}).status_code == 303

    entered(admin, "logged-in", by=BY_KEY, address=ADDRESS)


def test_a_program_is_named_by_the_label_and_id_of_its_token(
    server: ServerProcess, admin: httpx.Client
) -> None:
    made = admin.post("/api/v1/tokens", json={"label": "nightly", "role": "operator"}).json()
    with bearer(server, made["token"]) as program:
        run_id = program.post("/api/v1/runs", json={}).json()["id"]
        program.post(f"/api/v1/runs/{run_id}/stop")
        program.get(f"/api/v1/runs/{run_id}/export")
    admin.delete(f"/api/v1/tokens/{made['id']}")

    revoked = entered(admin, "token-revoked", token=made["id"])
    assert revoked == {"token": made["id"], "label": "nightly", "by": BY_KEY, "address": ADDRESS}
    entered(admin, "token-made", token=made["id"], label="nightly", role="operator", creator=None, by=BY_KEY)
    program_is = {"by": f"the program nightly (token {made['id']})", "address": ADDRESS}
    for command in ("start", "stop"):
        entered(admin, "run-commanded", run=run_id, command=command, **program_is)
    entered(admin, "downloaded", what="run", run=run_id, format="json", **program_is)


def test_the_owner_is_named_as_such(session_server: ServerProcess) -> None:
    with closing(Api(session_server.url)) as rest:
        run_id = rest.start()["id"]
        rest.http.post(f"/api/v1/runs/{run_id}/stop")

        told = [
            entry["fields"]
            for entry in rest.get("/audit/entries", limit=200)["entries"]
            if entry["kind"] == "run-commanded" and entry["fields"]["run"] == run_id
        ]
    owner = {"run": run_id, "by": "the user who started the server", "address": "127.0.0.1"}
    assert told == [{**owner, "command": "stop"}, {**owner, "command": "start"}]


def test_what_was_changed_without_a_server_shows_at_its_next_start(tmp_path: Path) -> None:
    run_users(tmp_path, "add", "ada", "--role", "admin", stdin=f"{PASSWORD}\n")
    token = run_users(tmp_path, "token", "add", "ci").stdout.strip()
    server = ServerProcess("--auth", *BY_PROXY, home=tmp_path)
    try:
        with administrator(server) as admin:
            started = entered(admin, "server-started")
            data = admin.get("/api/v1/audit").content
    finally:
        server.end()

    (kept,) = started["tokens"]
    assert started["users"] == [{"name": "ada", "role": "admin"}]
    assert (kept["label"], kept["role"], kept["creator"]) == ("ci", "viewer", None)
    verified(data, tmp_path)
    assert token.encode() not in data


def test_the_first_administrator_and_who_made_that_are_told(tmp_path: Path) -> None:
    server = ServerProcess("--host", "0.0.0.0", *BY_PROXY, home=tmp_path)
    try:
        found = server.wait_for_output(r"/#setup=(\S+)\n")
        with browser(server) as visitor, administrator(server) as admin:
            first: dict[str, Any] = {"name": "ada", "password": PASSWORD}
            visitor.post("/api/v1/setup", json={"token": "a guess", **first})
            made = visitor.post("/api/v1/setup", json={"token": found[1], **first})
            assert made.status_code == 200, made.text
            by = "whoever had the address for the first administrator"
            entered(admin, "user-added", user="ada", role="admin", by=by, address=ADDRESS)
            entered(admin, "logged-in", by="user ada", address=ADDRESS)
            entered(admin, "login-refused", user=None, address=ADDRESS)
            data = admin.get("/api/v1/audit").content
    finally:
        server.end()

    verified(data, tmp_path)
    assert found[1].encode() not in data


def test_the_export_is_verified_and_holds_nothing_that_lets_anybody_in(
    server: ServerProcess, admin: httpx.Client, tmp_path: Path
) -> None:
    with user_of(server, "sara", "admin") as sara:
        token = sara.post("/api/v1/tokens", json={"label": "ci", "role": "viewer"}).json()["token"]
        secrets = [PASSWORD, token, *sara.cookies.values(), sara.headers["X-CSRF-Token"]]
        entered(admin, "token-made", label="ci", creator="sara", by="user sara")
        data = sara.get("/api/v1/audit").content
        entered(admin, "downloaded", what="audit", by="user sara", address=ADDRESS)

    verified(data, tmp_path)
    assert b'"kind":"token-made"' in data
    for secret in (*secrets, (server.home / "keys" / PAGE_KEY).read_text().strip()):
        assert secret.encode() not in data
