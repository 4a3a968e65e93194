"""The process of a run on a SuperLink, with grids and SuperLinks that are none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from flwr.proto.node_pb2 import NodeInfo
from flwr.proto.runtime_pb2 import GetNodesResponse
from flwr.supercore.auth import load_superexec_auth_secret

from app.federation.engines.bridge import Bridge
from app.federation.engines.simulation.program import CLIENT_APP
from app.federation.engines.superlink import heartbeat, process
from app.federation.engines.superlink.app_files import app_files
from app.federation.engines.superlink.attempt import Attempt, Over
from shared.errors import AppInvalid
from shared.flower_superlink import Address, Patience, SuperLink, TokenGrid

WAIT_S = 60.0


class Enough(Exception):
    """What a test was to show has been shown."""


class OneRun:
    """A SuperLink that takes a run as late as a test has it."""

    def __init__(self) -> None:
        self.asked, self.answers = threading.Event(), threading.Event()
        self.stopped: list[int] = []

    def start_run(self, files: object) -> int:
        self.asked.set()
        assert self.answers.wait(WAIT_S)
        return 7

    def stop_run(self, run_id: int) -> None:
        self.stopped.append(run_id)


class BusyBridge:
    """As long busy with one message as three beats take."""

    def serve(self, grid: Grid, *others: object, **settings: object) -> None:
        for _ in range(3):
            assert grid.beats.acquire(timeout=WAIT_S)
        raise Enough


class Grid:
    """A SuperLink's, as far as it hears heartbeats."""

    def __init__(self) -> None:
        self.beats = threading.Semaphore(0)

    def beat(self) -> None:
        self.beats.release()


def test_the_superlink_hears_of_the_server_app_also_while_messages_are_on_their_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "beating", partial(heartbeat.beating, every_s=0.01))

    with pytest.raises(Enough):
        process.carry(cast("Bridge", BusyBridge()), cast("TokenGrid", Grid()))


def test_a_heart_goes_on_after_a_beat_that_was_not_taken_and_ends_with_its_block() -> None:
    beats: list[threading.Thread] = []
    third = threading.Event()

    def beat() -> None:
        beats.append(threading.current_thread())
        if len(beats) == 3:
            third.set()
        raise ConnectionError("nobody there")

    with heartbeat.beating(beat, every_s=0.01):
        assert third.wait(WAIT_S)
    beats[0].join(WAIT_S)
    assert not beats[0].is_alive()


class Flaky:
    """Answers requests with these statuses, one after the other; 0: the connection breaks."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        status = self._statuses.pop(0)
        if not status:
            raise httpx.ReadError("The connection was reset.", request=request)
        return httpx.Response(
            status, content=GetNodesResponse(nodes=[NodeInfo(node_id=5)]).SerializeToString()
        )


def a_grid(answers: Callable[[httpx.Request], httpx.Response], patience: Patience) -> TokenGrid:
    grid = TokenGrid(Address("superlink:8000", insecure=True, root_certificates=None), "a token")
    client = grid._runtime_client
    assert isinstance(client._retry_invoker, Patience), "Flower's client takes it where it is given"
    client._retry_invoker = cast("Any", patience)
    client._client = httpx.Client(transport=httpx.MockTransport(answers))
    return grid


def test_what_passes_does_not_end_a_run() -> None:
    grid = a_grid(Flaky(0, 502, 503, 504, 200), Patience(WAIT_S, every_s=0.001))

    assert process.clients_on(grid) == {"supernode-5": 5}


@pytest.mark.parametrize(
    ("status", "for_s"), [(401, WAIT_S), (403, WAIT_S), (500, WAIT_S), (503, -1.0), (0, -1.0)]
)
def test_what_is_refused_or_does_not_pass_ends_it(status: int, for_s: float) -> None:
    grid = a_grid(Flaky(status), Patience(for_s, every_s=0.001))

    with pytest.raises(httpx.HTTPError):
        process.clients_on(grid)


def test_the_secret_is_what_is_in_its_file_to_the_last_byte_as_for_flower(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b" secret\n")
    begin = {
        "address": "superlink:8000",
        "insecure": True,
        "root_certificates": None,
        "secret_file": str(file),
    }

    assert process.address_of(begin).secret == load_superexec_auth_secret(str(file)) == b" secret\n"


def test_without_the_client_there_is_nothing_to_submit(tmp_path: Path) -> None:
    for package in ("dashboard", "mesh", "shared"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()

    with pytest.raises(AppInvalid, match=r"client is not in this installation"):
        app_files(tmp_path, CLIENT_APP, {})

    assert "client/client_app.py" in app_files(process.ROOT, CLIENT_APP, {})


def test_a_run_that_ends_while_it_is_submitted_is_stopped_at_the_superlink() -> None:
    superlink = OneRun()
    attempt = Attempt(cast("SuperLink", superlink))
    submitting = threading.Thread(target=attempt.submit, args=({},))
    submitting.start()
    assert superlink.asked.wait(WAIT_S)

    ending = threading.Thread(target=attempt.end, args=(False,))
    ending.start()
    superlink.answers.set()
    for thread in (submitting, ending):
        thread.join(WAIT_S)

    assert superlink.stopped == [7]


def test_a_run_that_has_ended_before_is_not_submitted() -> None:
    superlink = OneRun()
    attempt = Attempt(cast("SuperLink", superlink))
    attempt.end(completed=False)

    with pytest.raises(Over):
        attempt.submit({})

    assert not superlink.asked.is_set()
    assert superlink.stopped == []
