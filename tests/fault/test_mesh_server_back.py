"""Which server is back, and in the middle of what: a round of the mesh goes to its end and counts; another
server is none; and one with an older state takes nothing that began after it."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from shared.address import parse_address
from tests.support.api import Api
from tests.support.forked_server import Death, ForkedServer
from tests.support.held_client import held_in
from tests.support.kept_models import KeepingClients
from tests.support.meshed import (
    FOUR,
    IN_ROUND_3,
    LIMIT_S,
    SPEC,
    Meshed,
    connected,
    require_nothing_twice,
    require_sound_log,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

HELD, *OTHERS = FOUR
HELD_IN = 2
PAIR = FOUR[:2]


def test_a_server_that_is_back_in_the_middle_of_a_mesh_round_waits_for_it_and_gets_all_of_it(
    server: ForkedServer, meshed: Meshed, ending: ExitStack, tmp_path: Path
) -> None:
    """A client has trained in its second mesh round, and averages only after the server has asked it."""
    server.start(IN_ROUND_3)
    api = connected(server, ending)
    held = held_in(HELD_IN, tmp_path / "held")
    meshed.start(HELD, script=("-m tests.support.held_client", str(HELD_IN), str(held.file)))
    meshed.start(*OTHERS)
    meshed.are_there(api)
    run = api.start(**{**SPEC, "num_rounds": 12})
    server.wait_until_dead()
    held.wait()
    meshed.have_gone(HELD_IN, *OTHERS)  # they have waited for it once
    server.start()
    for client_id in OTHERS:
        meshed.commands[client_id].wait_for_output("contributes what it has learned", LIMIT_S)
    assert meshed.commands[HELD].count("contributes what it has learned") == 0
    assert [each["round"] for each in api.rounds(run["id"])] == [0, 1, 2], "the server waits for its answer"
    assert api.run(run["id"])["mesh"]["merges"] == []

    held.release()

    ended = api.wait_for_run(run["id"], "completed", timeout_s=LIMIT_S)
    (merge,) = ended["mesh"]["merges"]
    assert (merge["round"], merge["since"], merge["clients"]) == (3, 2, list(FOUR))
    require_nothing_twice(ended)
    meshed.commands[HELD].wait_for_output(
        f"contributes what it has learned in {HELD_IN} mesh rounds since round 2"
    )
    assert all(part["verdict"] == "accepted" for part in api.rounds(run["id"])[3]["per_client"].values())
    require_sound_log(server)


def test_another_server_at_the_same_address_gets_nothing_and_the_right_one_all(
    server: ForkedServer, meshed: Meshed, ending: ExitStack, tmp_path: Path
) -> None:
    """Somebody has set up a new federation where the one before was."""
    server.start(IN_ROUND_3)
    api = connected(server, ending)
    meshed.start(*PAIR)
    meshed.are_there(api)
    run = api.start(**{**SPEC, "min_clients": 2, "num_partitions": 2, "num_rounds": 30})
    server.wait_until_dead()
    other = ForkedServer(tmp_path / "other", link_port=parse_address(server.link).port)
    ending.callback(other.end)
    other.start()
    for command in meshed.commands.values():
        command.wait_for_output("has another key than the one", LIMIT_S)
    meshed.have_gone(2)

    with closing(Api(other.url)) as others_api:
        assert others_api.clients() == {}
        assert others_api.get("/runs")["runs"] == []
    other.end()
    server.start()

    ended = api.wait_for_run(run["id"], "completed", timeout_s=LIMIT_S)
    (merge,) = ended["mesh"]["merges"]
    assert merge["clients"] == list(PAIR)
    require_sound_log(server)


def test_a_server_that_was_restored_takes_nothing_that_began_after_its_backup_and_goes_on(
    server: ForkedServer, ending: ExitStack, tmp_path: Path
) -> None:
    """What the clients learn is from a model of the time after the backup; their sites have agreed that the
    audit log is shorter. Later the server is away once more, and they go on from what it has now."""
    clients = KeepingClients(server, ending, sites=tmp_path / "sites")
    server.start(IN_ROUND_3)
    api = connected(server, ending)
    clients.start(*PAIR, after_s=LIMIT_S)
    for client_id in PAIR:
        api.wait_for_client(client_id, "idle", timeout_s=LIMIT_S)
    run = api.start(**{**SPEC, "min_clients": 2, "num_partitions": 2, "num_rounds": 40})
    server.wait_until_dead()
    backup = tmp_path / "backup"
    shutil.copytree(server.home, backup)
    server.start(Death(IN_ROUND_3.place, call=4))
    server.wait_until_dead()
    wait_until(
        lambda: all(5 in clients.rounds(client_id, server.invitation.key) for client_id in PAIR),
        "both have the model of round 5",
        LIMIT_S,
    )
    clients.kill(*PAIR)
    for file in (tmp_path / "sites").glob("*/witness/*"):
        file.unlink()

    clients.start(*PAIR, after_s=1.0)
    for client_id in PAIR:
        clients.commands[client_id].wait_for_output("mesh round 2: averaged", LIMIT_S)
    shutil.rmtree(server.home)
    shutil.copytree(backup, server.home)
    server.start(Death(IN_ROUND_3.place, call=2))
    server.wait_until_dead()  # in round 4: they have the models of 3, and of 5 of the time that is forgotten
    for client_id in PAIR:
        words = r"goes on over the mesh after round 3,(.|\n)*mesh round 2: averaged"
        clients.commands[client_id].wait_for_output(words, LIMIT_S)
    server.start()
    ended = api.wait_for_run(run["id"], "completed", timeout_s=LIMIT_S)

    said = [line["message"] for line in api.logs(limit=1000, run_id=run["id"], source="server")]
    refused = [words for words in said if "is not in this server's history of the run" in words]
    assert len(refused) == len(PAIR), said
    merges = ended["mesh"]["merges"]
    assert merges[0]["since"] == 3
    require_nothing_twice(ended)
    require_sound_log(server)
