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


def test_a_server_that_is_killed_in_every_stage_comes_to_the_same(tmp_path: Path) -> None:
    server = ForkedServer(tmp_path / "home")
    stages = [
        Death(f"{SERVER}.{step}", call=2)
        for step in ("take_keys", "take_boxes", "take_masked", "take_confirmation", "take_revealed")
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
