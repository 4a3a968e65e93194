"""Live updates over Socket.IO, on both web servers."""

from __future__ import annotations

import pytest
import socketio
from websockets.sync.client import connect

from tests.support.api import Api, Json
from tests.support.module_servers import api_of_server, either_web_server
from tests.support.page import Page
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

server = either_web_server()
api = api_of_server()


def newest_of_each(events: list[Json]) -> list[Json]:
    """All log lines, and of the updates that replace each other the last, in order."""
    kept: list[Json] = []
    seen: set[tuple[object, ...]] = set()
    for event in reversed(events):
        data = event["data"]
        subject = {
            "log": (event["seq"],),
            "metrics_update": ("round", data.get("run_id"), data.get("round", {}) and data["round"]["round"]),
        }.get(event["type"], (event["type"], data.get("id")))
        if subject not in seen:
            kept.append(event)
        seen.add(subject)
    return kept[::-1]


def but_of_the_audit_log(events: list[Json]) -> list[Json]:
    """Whose newest state comes a moment after what it tells of, once that is on the disk."""
    return [event for event in events if event["type"] != "audit_update"]


def run_from_start_to_stop(api: Api) -> None:
    run = api.start()
    api.wait_for_run(run["id"], "waiting")
    api.stop(run["id"])
    api.wait_for_run(run["id"], "stopped")
    api.wait_until_idle()


def seqs(page: Page) -> list[int]:
    return [event["seq"] for event in page.events]


def test_a_new_page_gets_the_whole_state(api: Api, server: ServerProcess) -> None:
    run = api.start()
    api.wait_for_reason(run["id"], "waiting for")

    with Page(server.url) as page:
        snapshot = page.snapshot()

    assert snapshot["instance"] == api.get("/status")["instance"]
    assert snapshot["status"]["active_run"] == run["id"]
    assert snapshot["runs"] == api.get("/runs")["runs"]
    assert snapshot["clients"] == api.get("/clients")["clients"]
    assert snapshot["rounds"] == {run["id"]: api.rounds(run["id"])}
    assert snapshot["logs"] == api.get("/logs", limit=500)["logs"]
    assert snapshot["seq"] <= api.get("/status")["seq"]


def test_changes_are_pushed_as_they_happen(api: Api, server: ServerProcess) -> None:
    with Page(server.url) as page:
        start = page.snapshot()["seq"]
        run = api.start()
        waiting = page.wait_for(
            lambda event: event["type"] == "run_update" and event["data"]["state"] == "waiting",
            "the run waits",
        )
        api.stop(run["id"])
        page.wait_for(
            lambda event: event["type"] == "log" and f"run {run['id']} stopped" in event["data"]["message"],
            "the log says that it was stopped",
        )

    assert waiting["data"]["id"] == run["id"]
    assert waiting["seq"] > start
    assert seqs(page) == sorted(set(seqs(page)))
    assert len(page.snapshots) == 1


def test_a_page_that_was_away_gets_exactly_what_it_missed(api: Api, server: ServerProcess) -> None:
    with Page(server.url) as stays:
        with Page(server.url) as leaves:
            instance, seen = leaves.snapshot()["instance"], leaves.snapshot()["seq"]
        run_from_start_to_stop(api)
        missed = api.get("/events", since=seen)["events"]
        stays.wait_for_seq(missed[-1]["seq"])  # nothing of it is still to be sent to everybody

        with Page(server.url, instance=instance, since=seen) as returns:
            returns.wait_for_seq(missed[-1]["seq"])

    assert but_of_the_audit_log(returns.events) == newest_of_each(but_of_the_audit_log(missed))
    assert returns.snapshots == []


def test_a_page_that_missed_nothing_goes_on_where_it_was(api: Api, server: ServerProcess) -> None:
    with Page(server.url) as page:
        instance = page.snapshot()["instance"]
        run_from_start_to_stop(api)
        seen = api.get("/status")["seq"]
        page.wait_for_seq(seen)

    with Page(server.url, instance=instance, since=seen) as page:
        run = api.start()
        page.wait_for(lambda event: event["data"].get("id") == run["id"], "the run is announced")

    assert page.snapshots == []
    assert page.events[0]["seq"] > seen


@pytest.mark.parametrize("since", [-5, 10**9, None, "12", 1.5])
def test_a_number_that_means_nothing_gets_a_snapshot(server: ServerProcess, since: object) -> None:
    with Page(server.url) as page:
        instance = page.snapshot()["instance"]

    with Page(server.url, instance=instance, since=since) as page:
        assert page.snapshot()["instance"] == instance


def test_the_numbers_of_another_server_start_get_a_snapshot(server: ServerProcess) -> None:
    with Page(server.url, instance="0" * 32, since=1) as page:
        assert page.snapshot()["seq"] >= 1


@pytest.mark.parametrize("auth", [None, [], "word", 3, {"instance": {}, "since": []}])
def test_whatever_a_page_says_of_itself_it_gets_a_snapshot(server: ServerProcess, auth: object) -> None:
    received: list[object] = []
    page = socketio.Client(reconnection=False)
    page.on("snapshot", received.append)
    page.connect(server.url, auth=auth, transports=["websocket"])

    wait_until(lambda: received, "a snapshot comes")
    page.disconnect()


def test_a_page_that_leaves_is_no_error(api: Api, server: ServerProcess) -> None:
    before = api.get("/status")["seq"]
    for _ in range(3):
        with Page(server.url) as page:
            page.snapshot()

    assert [entry["message"] for entry in api.logs(level="warning") if entry["seq"] > before] == []


def test_many_pages_see_the_same(api: Api, server: ServerProcess) -> None:
    pages = [Page(server.url) for _ in range(5)]
    for page in pages:
        page.snapshot()
    run = api.start()
    api.stop(run["id"])
    api.wait_for_run(run["id"], "stopped")
    for page in pages:
        page.wait_for(
            lambda event: event["type"] == "run_update" and event["data"]["state"] == "stopped",
            "it is stopped",
        )
        page.__exit__()

    ends = {max(event["seq"] for event in page.events if event["type"] == "run_update") for page in pages}
    assert len(ends) == 1


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://evil.example", "Host": "evil.example"},
        {"Host": "evil.example"},
    ],
)
def test_pages_from_elsewhere_are_not_let_in(
    server: ServerProcess, headers: dict[str, str], transport: str
) -> None:
    received: list[object] = []
    page = socketio.Client(reconnection=False)
    page.on("snapshot", received.append)

    with pytest.raises(socketio.exceptions.ConnectionError):
        page.connect(server.url, headers=headers, transports=[transport])

    page.disconnect()
    assert received == []


def test_what_all_pages_are_sent_is_not_compressed_anew_for_each(server: ServerProcess) -> None:
    address = f"{server.url.replace('http', 'ws', 1)}/socket.io/?EIO=4&transport=websocket"

    with connect(address, compression="deflate", proxy=None) as offered:  # as every browser offers it
        assert str(offered.recv(timeout=10)).startswith("0{")
        assert offered.protocol.extensions == []
