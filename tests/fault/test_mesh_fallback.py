"""A server that is killed in the middle of a run: its clients learn on over the mesh, and the run goes on
from there when it is back."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from app.audit.replay import replay
from app.audit.updates import UPDATES
from tests.support.api import Json
from tests.support.audit import exported_from, opened
from tests.support.forked_server import Death, ForkedServer
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
from tests.support.namespaces import namespace
from tests.support.waiting import wait_until

MERGED = "app.federation.runs.mesh_book:RunMeshBook.merged"
CHECKPOINT = "app.federation.runs.saved_rounds:SavedRounds.aggregated"


def test_the_run_goes_on_from_what_the_clients_have_learned_without_the_server(
    server: ForkedServer, meshed: Meshed, ending: ExitStack
) -> None:
    server.start(IN_ROUND_3)
    api = connected(server, ending)
    meshed.start(*FOUR)
    meshed.are_there(api)
    run = api.start(**SPEC)
    server.wait_until_dead()
    meshed.have_gone(3)
    server.start()

    ended = api.wait_for_run(run["id"], "completed", timeout_s=LIMIT_S)

    (merge,) = ended["mesh"]["merges"]
    assert (merge["round"], merge["since"], merge["clients"]) == (3, 2, list(FOUR))
    assert merge["mesh_rounds"] >= 3
    nodes = {node["id"]: node for node in api.get("/mesh")["nodes"]}
    assert nodes.keys() == set(FOUR)
    assert all(node["mesh"]["addresses"] and len(node["peers"]) == 3 for node in nodes.values())
    rounds = api.rounds(run["id"])
    assert [each["round"] for each in rounds] == list(range(9))
    assert all(part["verdict"] == "accepted" for part in rounds[3]["per_client"].values())
    told = [line["message"] for line in api.logs(limit=1000, run_id=run["id"], source="server")]
    assert f"merged 4 clients' {merge['mesh_rounds']} mesh rounds since round 2 into round 3" in told
    of_clients = [line["message"] for line in api.logs(limit=1000) if line["source"] in FOUR]
    assert any("UTC] mesh round 1: averaged with" in line for line in of_clients), of_clients

    alone = api.start(**SPEC)  # the server stays this time
    api.wait_for_run(alone["id"], "completed", timeout_s=LIMIT_S)
    with_server = [each["accuracy"] for each in api.rounds(alone["id"])]
    meshed_only, to_the_end = rounds[3]["accuracy"], rounds[8]["accuracy"]
    assert meshed_only >= with_server[min(2 + merge["mesh_rounds"], 8)] - 0.01
    assert to_the_end >= with_server[8] - 0.01
    assert to_the_end >= 0.9
    require_sound_log(server)


@pytest.mark.parametrize(
    "death",
    [Death(MERGED), Death(MERGED, after=True), Death(CHECKPOINT), Death(CHECKPOINT, after=True)],
    ids=["before it is entered", "before it is kept", "before the checkpoint", "after the checkpoint"],
)
def test_a_server_that_dies_while_it_merges_loses_nothing_and_takes_nothing_twice(
    death: Death, server: ForkedServer, meshed: Meshed, ending: ExitStack
) -> None:
    pair = FOUR[:2]
    spec = {**SPEC, "min_clients": 2, "num_partitions": 2, "num_rounds": 30}
    server.start(IN_ROUND_3)
    api = connected(server, ending)
    meshed.start(*pair)
    meshed.are_there(api)
    run = api.start(**spec)
    server.wait_until_dead()
    meshed.have_gone(2)
    server.start(death)
    server.wait_until_dead()
    server.start()

    ended = api.wait_for_run(run["id"], "completed", timeout_s=LIMIT_S)

    merges = ended["mesh"]["merges"]
    assert merges[0]["since"] == 2
    assert merges[0]["clients"] == list(pair)
    require_nothing_twice(ended)
    assert len(ended["mesh"]["generations"]) == 3
    require_sound_log(server)


def test_half_of_the_clients_are_cut_off_learn_on_and_contribute_when_the_cable_is_in_again(
    server: ForkedServer, meshed: Meshed, ending: ExitStack
) -> None:
    """The server and the other half go on meanwhile. Nothing gets through, and nobody is told so."""
    there = ending.enter_context(namespace())
    server.start(host="0.0.0.0")
    api = connected(server, ending)
    meshed.start("client-1", "client-2", address=there.gateway)
    meshed.start("client-3", "client-4", address=there.gateway, before=there.command())
    meshed.are_there(api)
    run = api.start(**{**SPEC, "num_rounds": 10_000, "min_clients": 2})
    api.wait_for_round(run["id"], 2)

    there.cut()
    meshed.have_gone(3, "client-3", "client-4")
    wait_until(
        lambda: set(api.rounds(run["id"])[-1]["per_client"]) == set(FOUR[:2]),
        "the server and its half go on",
        LIMIT_S,
    )
    gone_on = len(api.rounds(run["id"]))
    there.heal()

    def merges() -> list[Json]:
        found: list[Json] = api.run(run["id"])["mesh"]["merges"]
        return found

    wait_until(lambda: sum(len(merge["clients"]) for merge in merges()) >= 2, "both contribute", LIMIT_S)
    assert {client for merge in merges() for client in merge["clients"]} == {"client-3", "client-4"}
    assert all(merge["round"] >= gone_on > merge["since"] for merge in merges())
    done = merges()[-1]["round"]
    api.wait_for_round(run["id"], done + 3)
    wait_until(lambda: set(api.rounds(run["id"])[-1]["per_client"]) == set(FOUR), "all are back", LIMIT_S)
    require_nothing_twice(api.run(run["id"]))
    for client_id in FOUR[:2]:
        assert "mesh round" not in meshed.commands[client_id].output, "it had the server all the time"
    api.stop(run["id"])
    require_sound_log(server)


def test_the_others_go_on_without_a_client_that_dies_in_the_mesh(
    server: ForkedServer, meshed: Meshed, ending: ExitStack
) -> None:
    server.start(IN_ROUND_3)
    api = connected(server, ending)
    meshed.start(*FOUR[:3])
    meshed.are_there(api)
    run = api.start(**{**SPEC, "min_clients": 2, "num_partitions": 3, "num_rounds": 20, "keep_updates": True})
    server.wait_until_dead()
    meshed.have_gone(2)
    meshed.commands["client-3"].process.kill()
    meshed.have_gone(8, "client-1", "client-2")
    server.start()

    ended = api.wait_for_run(run["id"], "completed", timeout_s=LIMIT_S)

    (merge,) = ended["mesh"]["merges"]
    assert merge["clients"] == ["client-1", "client-2"]
    assert merge["mesh_rounds"] >= 8
    assert ended["final"]["accuracy"] >= 0.9
    require_sound_log(server)
    (told,) = replay(opened(exported_from(server.home)), server.home / UPDATES)
    assert "2 models recomputed" in told
    assert "Nothing was recomputed from round 3" in told


def test_differential_privacy_at_the_clients_counts_on(
    server: ForkedServer, meshed: Meshed, ending: ExitStack
) -> None:
    server.start(IN_ROUND_3)
    api = connected(server, ending)
    pair = FOUR[:2]
    meshed.start(*pair)
    meshed.are_there(api)
    private = {"dp": {"noise_multiplier": 1.0, "clipping_norm": 1.0}}
    run = api.start(**{**SPEC, "min_clients": 2, "num_partitions": 2, **private})
    server.wait_until_dead()
    meshed.have_gone(3)
    server.start()

    ended = api.wait_for_run(run["id"], "completed", timeout_s=LIMIT_S)

    (merge,) = ended["mesh"]["merges"]
    rounds = api.rounds(run["id"])
    assert all(part["train_loss"] is None for part in rounds[3]["per_client"].values())
    assert rounds[3]["epsilon"] > rounds[2]["epsilon"]
    (ledger,) = (server.home / "ledger").glob("*.ledger")
    releases = ledger.read_text(encoding="utf-8").count(run["id"])
    # Rounds 1 and 2, the mesh's, and 4 to 8. The first of the mesh is the same update, with the same noise,
    # as that of the round which was cut: nobody learns anything new from it.
    assert releases == len(pair) * (2 + merge["mesh_rounds"] + 5)


def test_a_run_with_secure_aggregation_waits_for_its_server(
    server: ForkedServer, meshed: Meshed, ending: ExitStack
) -> None:
    server.start(Death("app.federation.rounds.secure:SecureRounds._fold", call=2))
    api = connected(server, ending)
    meshed.start(*FOUR[:3])
    meshed.are_there(api)
    secure = {**SPEC, "min_clients": 3, "num_partitions": 3, "num_rounds": 3, "secure_aggregation": {}}
    run = api.start(**secure)
    server.wait_until_dead()
    for command in meshed.commands.values():
        command.wait_for_output("connection to", LIMIT_S)
    server.start()

    ended = api.wait_for_run(run["id"], "completed", timeout_s=LIMIT_S)

    assert ended["mesh"] is None
    assert not any("mesh round" in command.output for command in meshed.commands.values())
