"""Logs that were cut, rewritten or shown in two versions are noticed by every client; kills leave no gap."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import grpc
import pytest

from app.audit.entry import Kind
from app.audit.verify import NotVerified, verify
from app.demo.fleet import Fleet
from app.store.urls import FILE_NAME
from shared.proto.link_pb2 import Cosignature
from shared.security.checkpoint import Checkpoint
from shared.security.keys import KeyPair
from shared.security.merkle import Growing, leaf_hash
from shared.security.server_identity import KEYS
from shared.security.witness_file import WitnessFile
from tests.conftest import Clients
from tests.fault.conftest import PAIR
from tests.support.api import Api
from tests.support.audit import exported_from, opened, require_agreement
from tests.support.forked_server import Death, ForkedServer
from tests.support.raw_link import RawClient
from tests.support.waiting import wait_until

SPEC: dict[str, Any] = {"num_rounds": 3, "min_clients": 2, "model": "linear", "num_partitions": 2}


@pytest.fixture
def own_api(server: ForkedServer) -> Iterator[Callable[[], Api]]:
    """The REST API of the test's own server, wherever it listens now."""
    with ExitStack() as ending:
        yield lambda: ending.enter_context(closing(Api(server.url)))


def run_to_the_end(api: Api) -> None:
    """A run by the pair, which both witness."""
    run = api.start(**SPEC)
    api.wait_for_run(run["id"], "completed")

    def is_witnessed() -> bool:
        found = api.get("/audit/entries", limit=10)
        ends = [entry["index"] for entry in found["entries"] if entry["kind"] == "run-ended"]
        witnesses = api.get("/audit/checkpoint")["witnesses"]
        return bool(ends) and len(witnesses) == 2 and all(each["size"] > ends[0] for each in witnesses)

    wait_until(is_witnessed, "both have witnessed the end")


def seen_by(home: Path, client_id: str) -> WitnessFile:
    found = WitnessFile.read(home / "witness" / f"{client_id}.json")
    assert found is not None
    return found


def require_objection(fleet: Fleet, home: Path, client_id: str, words: str) -> None:
    """A client ends by itself, and has kept what it objects to."""
    fleet.clients[client_id].join(30)
    assert fleet.clients[client_id].exitcode == 1
    evidence = json.loads((home / "witness" / f"{client_id}.objection.json").read_text())
    assert words in evidence["objection"]


@pytest.mark.parametrize(
    "death",
    [
        Death("app.store.store:write_audit", call=4),
        Death("app.store.store:write_audit", call=6, after=True),
        Death("app.audit.log:AuditLog.keep", call=8),
        Death("app.audit.log:AuditLog.keep", call=10, after=True),
        Death("app.federation.runs.accounts:Accounts.aggregated", after=True),
        Death("app.federation.runs.saved_rounds:SavedRounds.aggregated", call=2, after=True),
        Death("app.federation.link.verdicts:Verdicts.judged", call=3, after=True),
        Death("app.federation.link.witnessing:Witnessing.answered", call=3),
        Death("app.federation.link.witnessing:Witnessing.answered", call=5, after=True),
    ],
)
def test_a_server_that_is_killed_leaves_log_and_store_in_agreement(
    server: ForkedServer, fleet: Fleet, own_api: Callable[[], Api], tmp_path: Path, death: Death
) -> None:
    server.start()
    api = own_api()
    Clients(fleet, server, tmp_path).start(*PAIR)
    for client_id in PAIR:
        api.wait_for_client(client_id, "idle")
    server.kill()
    require_agreement(server.home)
    server.start(death)
    if server.is_running:
        run = own_api().start(**SPEC)
    server.wait_until_dead()
    require_agreement(server.home)

    server.start()
    again = own_api()
    for left in again.get("/runs")["runs"]:
        again.wait_for_run(left["id"], "completed")
        assert left["id"] == run["id"]
    run_to_the_end(again)
    server.end()

    require_agreement(server.home)
    verify(opened(exported_from(server.home)), [seen_by(server.home, client_id) for client_id in PAIR])
    assert all(process.is_alive() for process in fleet.clients.values()), "nobody objects"


def test_a_log_that_was_cut_is_noticed_by_every_client_until_a_person_decides(
    server: ForkedServer, fleet: Fleet, own_api: Callable[[], Api], tmp_path: Path
) -> None:
    """As after a backup was restored, or entries were made to vanish."""
    clients = Clients(fleet, server, tmp_path)
    server.start()
    clients.start(*PAIR)
    run_to_the_end(own_api())
    server.end()
    shutil.copy(server.home / FILE_NAME, tmp_path / "backup")
    server.start()
    run_to_the_end(own_api())
    server.end()
    shutil.copy(tmp_path / "backup", server.home / FILE_NAME)

    server.start()
    for client_id in PAIR:
        require_objection(fleet, server.home, client_id, "it was cut to")
    clients.start(*PAIR)
    for client_id in PAIR:
        fleet.clients[client_id].join(30)
        assert fleet.clients[client_id].exitcode == 1, "it does not take part before somebody has decided"

    for client_id in PAIR:
        (server.home / "witness" / f"{client_id}.objection.json").unlink()
        (server.home / "witness" / f"{client_id}.json").unlink()
    clients.start(*PAIR)
    run_to_the_end(own_api())


def test_a_log_that_was_rewritten_and_signed_anew_is_noticed(
    server: ForkedServer, fleet: Fleet, own_api: Callable[[], Api], tmp_path: Path
) -> None:
    """By somebody who has the server's key, and does everything right."""
    server.start()
    Clients(fleet, server, tmp_path).start(*PAIR)
    run_to_the_end(own_api())
    server.end()
    seen = seen_by(server.home, "a")
    rewrite(server.home, Kind.AGGREGATED, b'"strategy":"fed', b"median")
    verify(opened(exported_from(server.home)))
    with pytest.raises(NotVerified, match="another version of the log than the one that a has seen"):
        verify(opened(exported_from(server.home)), [seen])

    server.start()

    for client_id in PAIR:
        require_objection(fleet, server.home, client_id, "still the same")
    server.end()
    rewrite(server.home, Kind.UPDATE_JUDGED, b'"arrays":"', b"0" * 64)
    with pytest.raises(NotVerified, match="has not signed what is told of its reply"):
        verify(opened(exported_from(server.home)))


def rewrite(home: Path, kind: str, after: bytes, instead: bytes) -> None:
    """Have an entry of a kind say something else after some words, up to the next quote, and sign all."""
    key = KeyPair.load_or_make(home / KEYS / "server.pem")
    with closing(sqlite3.connect(home / FILE_NAME)) as connection, connection:
        (log,) = connection.execute("SELECT log FROM audit_log").fetchone()
        number, entry = connection.execute(
            "SELECT number, entry FROM audit_entries WHERE kind = ?", [kind]
        ).fetchone()
        at = entry.index(after) + len(after)
        changed = entry[:at] + instead + entry[entry.index(b'"', at) :]
        connection.execute("UPDATE audit_entries SET entry = ? WHERE number = ?", [changed, number])
        connection.execute("DELETE FROM audit_cosignatures")
        tree = Growing()
        for (each,) in connection.execute("SELECT entry FROM audit_entries ORDER BY number").fetchall():
            tree.add(leaf_hash(each))
            signed = Checkpoint.sign(log, tree.size, tree.root, 0, key)
            connection.execute(
                "UPDATE audit_checkpoints SET time = 0, root = ?, signature = ? WHERE size = ?",
                [tree.root, signed.signature, tree.size],
            )


def test_a_log_that_is_shown_in_two_versions_is_noticed(
    server: ForkedServer, fleet: Fleet, own_api: Callable[[], Api], tmp_path: Path, ending: ExitStack
) -> None:
    """By a server that says one thing to one site and another to the next."""
    server.start()
    clients = Clients(fleet, server, tmp_path)
    clients.start(*PAIR)
    run_to_the_end(own_api())
    server.end()
    twin = ForkedServer(tmp_path / "twin")
    shutil.copytree(server.home, twin.home)
    server.start()
    run_to_the_end(own_api())
    server.end()
    twin.start()
    ending.callback(twin.end)
    api = ending.enter_context(closing(Api(twin.url)))
    for number in range(20):
        api.stop(api.start(**SPEC)["id"])
        assert number < 20
    wait_until(lambda: api.get("/audit/checkpoint")["size"] > 80, "its log is longer than the other")

    clients.end("a")
    shutil.copytree(server.home / "witness", twin.home / "witness", dirs_exist_ok=True)
    Clients(fleet, twin, tmp_path).start("a")

    require_objection(fleet, twin.home, "a", "nothing proves that its first")
    twin.end()
    with pytest.raises(NotVerified, match="another version of the log"):
        verify(opened(exported_from(twin.home)), [seen_by(server.home, "a")])


def test_a_client_that_vouches_for_what_it_was_not_shown_is_disconnected_and_the_others_go_on(
    api: Api, good: None, no_tracebacks: None, bad: RawClient
) -> None:
    bad.send(cosignature=Cosignature())
    shown = bad.read_kind("checkpoint").checkpoint
    assert shown.size > 0

    bad.send(cosignature=Cosignature(log=shown.log, size=shown.size, signature=bytes(256)))

    assert bad.ending() is not grpc.StatusCode.DEADLINE_EXCEEDED
    assert all(each["client"] != "bad" for each in api.get("/audit/checkpoint")["witnesses"])
    run = api.start(**{**SPEC, "min_clients": 1, "num_partitions": 1})
    api.wait_for_run(run["id"], "completed")
