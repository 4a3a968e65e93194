"""Secure aggregation when processes die: a round goes on without a client, and anew after the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.support.api import Api
from tests.support.dying_client import dying_client
from tests.support.forked_server import Death, ForkedServer
from tests.support.held import Held
from tests.support.waiting import wait_until

SHARED_NOISE = {
    "strategy": "dpfedavg-fixed",
    "strategy_params": {"noise_multiplier": 0.02, "clipping_norm": 1.0},
}

TRIO = ("a", "b", "c")
SPEC: dict[str, Any] = {
    "num_rounds": 2,
    "min_clients": 3,
    "num_partitions": 4,
    "model": "linear",
    "seed": 5,
    "secure_aggregation": {},
}

CLIENT = "shared.secagg.client:ClientSession"
SERVER = "shared.secagg.server:ServerSession"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ForkedServer, Api]]:
    """A server with three clients."""
    server = ForkedServer(tmp_path_factory.mktemp("killed") / "home")
    server.start()
    with Fleet() as fleet, closing(Api(server.url)) as api:
        Clients(fleet, server, server.home).start(*TRIO)
        yield server, api
    server.end()


@pytest.mark.parametrize(
    ("step", "after", "updates"),
    [
        ("advertise", False, 3),
        ("advertise", True, 3),
        ("share", True, 3),
        ("open", True, 3),
        ("mask", False, 3),
        ("mask", True, 3),
        ("confirm", False, 4),
        ("reveal", False, 4),
    ],
)
def test_the_round_goes_on_without_a_client_that_is_killed(
    step: str, after: bool, updates: int, running: tuple[ForkedServer, Api], tmp_path: Path
) -> None:
    server, api = running
    with dying_client("d", server, tmp_path, Death(f"{CLIENT}.{step}", after=after)) as dying:
        for client_id in (*TRIO, "d"):
            api.wait_for_client(client_id, "idle")
        run_id = api.start(**SPEC)["id"]
        api.wait_for_run(run_id, "completed")
        dying.join(20)
    _, first, second = api.rounds(run_id)
    assert (first["clients"], second["clients"]) == (updates, 3)
    assert second["accuracy"] > 0.4


def test_a_client_that_is_started_anew_in_a_session_says_so_and_the_sum_is_opened_without_it(
    tmp_path: Path,
) -> None:
    server = ForkedServer(tmp_path / "home")
    held = Held("app.federation.rounds.secure:SecureRounds._require_updates", tmp_path / "held")
    server.start(held)
    with Fleet() as fleet, closing(Api(server.url)) as api:
        clients = Clients(fleet, server, server.home)
        clients.start(*TRIO, "d")
        for client_id in (*TRIO, "d"):
            api.wait_for_client(client_id, "idle")
        run_id = api.start(**{**SPEC, "min_clients": 4})["id"]
        held.wait()  # all updates are there, and none is confirmed
        clients.kill("d")
        api.wait_for_client("d", "lost")
        clients.start("d")
        wait_until(lambda: api.clients()["d"]["state"] != "lost", "d is there again")
        held.release()
        api.wait_for_run(run_id, "completed")
        refused = api.get(f"/runs/{run_id}/verdicts", verdict="declined")["verdicts"]
        rounds = api.rounds(run_id)
    server.end()
    assert [each["client_id"] for each in refused] == ["d"]
    assert "secagg-order: this client is in no session of this name" in refused[0]["detail"]
    assert "it may have been started anew" in refused[0]["detail"]
    assert [round_["clients"] for round_ in rounds] == [0, 4, 4]


def test_a_server_that_is_killed_in_every_stage_comes_to_the_same(tmp_path: Path) -> None:
    server = ForkedServer(tmp_path / "home")
    stages = [
        Death(f"{SERVER}.{step}", call=2)
        for step in (
            "take_keys",
            "take_boxes",
            "take_opened",
            "take_masked",
            "take_confirmation",
            "take_revealed",
        )
    ]
    stages += [
        Death(f"{SERVER}.finish", after=True),
        Death("app.federation.rounds.secure:SecureRounds._fold"),
    ]
    spec = {**SPEC, "num_partitions": 3}
    with Fleet() as fleet:
        server.start(stages[0])
        Clients(fleet, server, server.home).start(*TRIO)
        with closing(Api(server.url)) as api:
            run_id = api.start(**spec)["id"]
        for stage in stages[1:]:
            server.wait_until_dead()
            server.start(stage)
        server.wait_until_dead()
        server.start()
        with closing(Api(server.url)) as api:
            api.wait_for_run(run_id, "completed")
            plain = api.start(**{**spec, "secure_aggregation": None})["id"]
            api.wait_for_run(plain, "completed")
            secure, in_the_clear = api.rounds(run_id), api.rounds(plain)
    server.end()
    assert [round_["clients"] for round_ in secure] == [0, 3, 3]
    for one, other in zip(secure, in_the_clear, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-3)


def test_each_sum_that_a_killed_server_may_have_shown_is_paid_for_and_no_other(tmp_path: Path) -> None:
    server = ForkedServer(tmp_path / "home")
    stages = [
        Death(f"{SERVER}.take_masked", call=2),  # nothing was opened
        Death("app.federation.rounds.server_app:_evaluate"),  # it was paid for, and not saved
    ]
    with Fleet() as fleet:
        server.start(stages[0])
        Clients(fleet, server, server.home).start(*TRIO)
        with closing(Api(server.url)) as api:
            run_id = api.start(**{**SPEC, **SHARED_NOISE, "num_partitions": 3})["id"]
        for stage in stages[1:]:
            server.wait_until_dead()
            server.start(stage)
        server.wait_until_dead()
        server.start()
        with closing(Api(server.url)) as api:
            run = api.wait_for_run(run_id, "completed")
            first, second = api.rounds(run_id)[1:]
    server.end()
    assert run["privacy"]["releases"] == 3  # one of them nobody has any more
    assert first["epsilon"] < second["epsilon"] == run["privacy"]["epsilon"]
