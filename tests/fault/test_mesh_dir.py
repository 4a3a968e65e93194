"""Clients that keep the server's models in folders of theirs: what one missed, it gets from the others, with
the server's signature, after the server is gone and all were started anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from client.offline.shared_models import KEPT, SUFFIX
from tests.support.forked_server import Death, ForkedServer
from tests.support.kept_models import KeepingClients
from tests.support.meshed import LIMIT_S, SPEC, connected
from tests.support.processes import Command
from tests.support.waiting import wait_until

IN_ROUND_6 = Death("app.federation.strategies.base:RoundFold.finish", call=6)
NEWEST = 5
PAIR = ("client-1", "client-2")
AWAY = "client-3"
FORGED = f"model-FORGERY-0{SUFFIX}"


@pytest.fixture
def clients(server: ForkedServer, ending: ExitStack) -> Iterator[KeepingClients]:
    """Of the test's own server; none of them may have come upon a bug."""
    clients = KeepingClients(server, ending)
    yield clients
    for command in clients.commands.values():
        assert "Traceback" not in command.output, command


@pytest.mark.timeout(600)
def test_who_was_away_gets_the_newest_model_from_a_peers_folder_and_goes_on_from_it(
    server: ForkedServer, clients: KeepingClients, ending: ExitStack
) -> None:
    server.start(IN_ROUND_6)
    api = connected(server, ending)
    clients.start(*PAIR, AWAY, after_s=LIMIT_S)
    for name in (*PAIR, AWAY):
        api.wait_for_client(name, "idle", timeout_s=LIMIT_S)
    wait_until(
        lambda: all((client["mesh"] or {}).get("online") == 2 for client in api.clients().values()),
        "each has met the others, and knows where they are",
        LIMIT_S,
    )
    key = server.invitation.key
    run = api.start(**{**SPEC, "min_clients": 2, "num_partitions": 3, "local_epochs": 3, "num_rounds": 12})
    api.wait_for_round(run["id"], 1)
    clients.kill(AWAY)
    assert max(clients.rounds(AWAY, key), default=0) < NEWEST
    server.wait_until_dead()
    wait_until(
        lambda: any(NEWEST in clients.rounds(name, key) for name in PAIR),
        "the newest model lies in a folder",
        LIMIT_S,
    )
    wait_until(
        lambda: all(NEWEST in clients.rounds(name, key) for name in PAIR),
        "it lies in both",
        LIMIT_S,
    )
    clients.kill(*PAIR)  # what they have in memory is gone

    clients.start("client-1", after_s=LIMIT_S)  # who knows it from its folder alone
    (clients.folder("client-1") / FORGED).write_bytes(b"forged")
    clients.start(AWAY, after_s=1.0)

    wait_until(lambda: NEWEST in clients.rounds(AWAY, key), "who was away has it in its folder", LIMIT_S)
    away = clients.commands[AWAY]
    away.wait_for_output(rf"goes on over the mesh after round {NEWEST}, for up to 7 rounds", LIMIT_S)
    away.wait_for_output(rf"the model {FORGED} of another client is not taken", LIMIT_S)
    assert not (clients.folder(AWAY) / FORGED).exists()
    assert "1 messages: a file that does not belong here" in clients.sync_status(AWAY)
    assert "no model that this client's server has signed" in clients.sync_status(AWAY)
    wait_until(
        lambda: len(list(clients.folder(AWAY).glob(f"*{SUFFIX}"))) <= KEPT,
        "older models are removed, also those that no other client has seen",
        LIMIT_S,
    )

    server.start()
    clients.start("client-2", after_s=LIMIT_S)
    api.wait_for_run(run["id"], "completed", timeout_s=LIMIT_S)


def test_a_folder_that_cannot_be_used_is_said_at_once(tmp_path: Path, ending: ExitStack) -> None:
    (tmp_path / "file").write_text("")
    command = Command(
        "run_client.py",
        *("--client-id", "a", "--server", "127.0.0.1:9", "--enable-mesh", "--mesh-dir", "file"),
        home=tmp_path,
    )
    ending.callback(command.end)

    assert command.wait_for_exit(LIMIT_S) == 1
    assert "cannot be kept in" in command.output
    assert "Traceback" not in command.output
