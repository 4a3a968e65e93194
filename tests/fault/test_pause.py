"""A run that is paused stands still, in whatever it was; its deadlines with it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.flower import decode
from tests.conftest import Clients
from tests.fault.conftest import PAIR, Undisturbed, without_times
from tests.support.answers import serve, trained
from tests.support.api import Api, Json
from tests.support.forked_server import ForkedServer
from tests.support.raw_link import RawClient
from tests.support.waiting import wait_until

SPEC: dict[str, Any] = {"num_rounds": 1, "min_clients": 1, "num_partitions": 2, "model": "linear"}

FOR_EVER = {"local_epochs": 1_000, "batch_size": 1}


def pause(api: Api, run_id: str) -> Json:
    """The run, once it is paused."""
    api.command(run_id, "pause")
    return api.wait_for_run(run_id, "paused")


def progress_of(api: Api, client_id: str) -> int:
    """Batches that it is through with."""
    client = api.clients().get(client_id)
    return client["progress"]["done"] if client and client["progress"] else 0


def wait_for_sign_of_life(api: Api, client_id: str) -> None:
    """A client sends one every two seconds, whatever it does."""
    before = api.clients()[client_id]["last_seen"]
    wait_until(lambda: api.clients()[client_id]["last_seen"] > before, f"{client_id} is heard of")


def test_clients_stop_between_two_batches_and_go_on(api: Api, clients: Clients) -> None:
    clients.start("a")
    run_id = api.start(**SPEC, **FOR_EVER)["id"]
    wait_until(lambda: progress_of(api, "a"), "it is in the middle of its training")

    assert pause(api, run_id)["reason"] == "paused by request"
    wait_for_sign_of_life(api, "a")
    stopped_at = progress_of(api, "a")
    wait_for_sign_of_life(api, "a")
    assert progress_of(api, "a") == stopped_at
    assert api.clients()["a"]["state"] == "training"

    api.command(run_id, "resume")
    api.wait_for_run(run_id, "running")
    wait_until(lambda: progress_of(api, "a") > stopped_at, "it goes on where it was")


def test_no_deadline_passes(api: Api, lasting_server: ForkedServer) -> None:
    with RawClient(lasting_server.home) as link:
        link.hello("a")
        run_id = api.start(**SPEC, round_timeout_s=2.0)["id"]
        message_id, payload = link.read_task()
        pause(api, run_id)
        assert link.read_kind("pause").pause.paused

        paused_at = api.get("/status")["uptime_s"]
        wait_until(lambda: api.get("/status")["uptime_s"] > paused_at + 2.5, "the deadline would have passed")
        assert api.clients()["a"]["state"] == "training"

        api.command(run_id, "resume")
        assert not link.read_kind("pause").pause.paused
        link.reply(message_id, trained(decode(payload)))
        assert serve(link) == "evaluate"
        api.wait_for_run(run_id, "completed")
        part = api.rounds(run_id)[1]["per_client"]["a"]
        assert (part["late"], part["error"]) == (False, None)


def test_a_reply_that_comes_meanwhile_counts_afterwards(api: Api, lasting_server: ForkedServer) -> None:
    with RawClient(lasting_server.home) as link:
        link.hello("a")
        run_id = api.start(**SPEC)["id"]
        message_id, payload = link.read_task()
        pause(api, run_id)

        link.reply(message_id, trained(decode(payload)))
        api.wait_for_client("a", "idle")
        assert api.run(run_id)["state"] == "paused"
        assert len(api.rounds(run_id)) == 1

        api.command(run_id, "resume")
        assert serve(link) == "evaluate"
        api.wait_for_run(run_id, "completed")


def test_a_run_that_waits_can_be_paused_and_nobody_who_comes_sets_it_going(
    api: Api, clients: Clients
) -> None:
    run_id = api.start(**SPEC)["id"]
    api.wait_for_reason(run_id, "waiting for 1 more client")
    pause(api, run_id)

    clients.start("a")
    api.wait_for_client("a", "idle")
    wait_for_sign_of_life(api, "a")
    assert api.run(run_id)["state"] == "paused"
    assert api.clients()["a"]["state"] == "idle"

    api.command(run_id, "resume")
    api.wait_for_run(run_id, "completed")


def test_resumed_it_says_what_it_waits_for(api: Api) -> None:
    run_id = api.start(**SPEC)["id"]
    api.wait_for_reason(run_id, "waiting for 1 more client")
    pause(api, run_id)

    api.command(run_id, "resume")

    assert api.wait_for_reason(run_id, "waiting for")["reason"] == "waiting for 1 more client (0 of 1)"


def test_a_paused_run_can_be_stopped(api: Api, clients: Clients) -> None:
    clients.start("a")
    run_id = api.start(**SPEC, **FOR_EVER)["id"]
    wait_until(lambda: progress_of(api, "a"), "it is in the middle of its training")
    pause(api, run_id)

    api.stop(run_id)

    assert api.wait_for_run(run_id, "stopped")["reason"] == "stopped by request"
    api.wait_for_client("a", "idle")
    next_run = api.start(**SPEC)
    api.wait_for_run(next_run["id"], "completed")


def test_a_client_that_comes_back_meanwhile_is_told(api: Api, lasting_server: ForkedServer) -> None:
    with RawClient(lasting_server.home) as link:
        link.hello("a")
        run_id = api.start(**SPEC)["id"]
        message_id, payload = link.read_task()
        pause(api, run_id)
    api.wait_for_client("a", "lost")
    assert api.run(run_id)["state"] == "paused"

    with RawClient(lasting_server.home, before=link) as again:
        assert again.hello("a", holding=[message_id]).welcome.paused
        api.command(run_id, "resume")
        assert not again.read_kind("pause").pause.paused
        again.reply(message_id, trained(decode(payload)))
        assert serve(again) == "evaluate"
        api.wait_for_run(run_id, "completed")


def test_a_client_that_is_lost_meanwhile_is_waited_for_afterwards(
    api: Api, lasting_server: ForkedServer
) -> None:
    with RawClient(lasting_server.home) as link:
        link.hello("a")
        run_id = api.start(**SPEC)["id"]
        link.read_task()
        pause(api, run_id)
    api.wait_for_client("a", "lost")

    api.command(run_id, "resume")

    reason = "waiting for 1 more reply (0 of 1): a is lost"
    assert api.wait_for_reason(run_id, "waiting for")["reason"] == reason


def test_saying_it_twice_is_saying_it_once(api: Api) -> None:
    run_id = api.start(**SPEC)["id"]
    api.wait_for_reason(run_id, "waiting for 1 more client")
    pause(api, run_id)
    pause(api, run_id)

    for _ in range(2):
        api.command(run_id, "resume")
        api.wait_for_reason(run_id, "waiting for 1 more client")


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_a_run_that_cannot_be_is_a_conflict_in_words(api: Api, command: str) -> None:
    first, queued = api.start(**SPEC), api.start(**SPEC)
    api.wait_for_reason(first["id"], "waiting for 1 more client")

    refused = api.http.post(f"/api/v1/runs/{queued['id']}/{command}")
    assert refused.status_code == 409
    assert f"cannot be {command}d: it is queued" in refused.json()["detail"]

    api.stop(queued["id"])
    refused = api.http.post(f"/api/v1/runs/{queued['id']}/{command}")
    assert refused.status_code == 409
    assert f"cannot be {command}d: it is stopped" in refused.json()["detail"]


def test_a_run_that_is_paused_again_and_again_comes_to_the_same(
    api: Api, clients: Clients, undisturbed: Undisturbed
) -> None:
    spec = {**SPEC, "num_rounds": 40, "min_clients": 2, "alpha": None, "seed": 11}
    clients.start(*PAIR)
    run_id = api.start(**spec)["id"]
    for number in (1, 4, 8, 12):
        api.wait_for_round(run_id, number)
        api.command(run_id, "pause")
        if api.wait_for_run(run_id, "paused", "completed")["state"] == "completed":
            break
        api.command(run_id, "resume")

    api.wait_for_run(run_id, "completed")
    assert without_times(api.rounds(run_id)) == without_times(undisturbed(**spec))
