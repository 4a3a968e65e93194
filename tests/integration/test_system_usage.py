"""What machines are used for, with real servers and clients: on REST, on the socket, for Prometheus."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from flwr.clientapp import ClientApp
from prometheus_client.parser import text_string_to_metric_families

from app.event_bus import EventBus
from app.federation.link.spool import Spool
from app.records import ClientState
from client.built_in_app import BuiltInApp
from client.link import ClientIdentity, Link
from client.runtime import Runtime
from shared.proto.link_pb2 import LogLine, Usage
from shared.security.server_identity import ServerIdentity
from tests.conftest import Clients, StartCommand
from tests.support.a_link import a_link
from tests.support.api import Api, Json
from tests.support.membership import member
from tests.support.page import Page
from tests.support.people import administrator, bearer, browser, page_server
from tests.support.processes import ServerProcess
from tests.support.raw_link import RawClient
from tests.support.waiting import wait_until

guarded = page_server("--auth")

FRAME = Usage(cpu=0.5, cores=4, process_cores=1.0, memory_total=10)


def node(api: Api, client: str | None, **query: Any) -> Json | None:
    nodes = api.get("/system", **query)["nodes"]
    return next((each for each in nodes if each["client"] == client), None)


def told_of(page: Page) -> set[str | None]:
    """The clients, and None for the server, whose usage the page was told."""
    return {told["client"] for update in page.usages for told in update["nodes"]}


def test_a_client_that_trains_is_seen_to_and_so_is_the_server(
    session_server: ServerProcess, api: Api, clients: Clients
) -> None:
    with Page(session_server.url) as page:
        page.snapshot()
        clients.start("busy")
        api.wait_for_client("busy", "idle")
        run = api.start(dataset="digits", model="cnn", num_rounds=200, min_clients=1, local_epochs=5)
        api.wait_for_round(run["id"], 1)

        def trains() -> bool:
            found = node(api, "busy")
            return found is not None and any(usage["process_cores"] > 0.1 for usage in found["series"])

        wait_until(trains, "its CPU is seen", timeout_s=120)
        server = node(api, None)
        wait_until(lambda: {"busy", None} <= told_of(page), "the socket tells of both", timeout_s=60)
    assert server is not None
    assert server["connected"]
    assert server["latest"]["process_memory"] > 0
    assert all(len(update["nodes"]) == len({n["client"] for n in update["nodes"]}) for update in page.usages)
    assert node(api, "busy", node="server") is None
    assert node(api, None, node="client:busy") is None
    narrow = node(api, "busy", points=1, since=time.time() - 3_600)
    assert narrow is not None
    assert len(narrow["series"]) == 1
    now = time.time()
    steps = [api.get("/system", since=now - 600, until=now, points=60)["step_s"]]
    steps += [api.get("/system", since=now - hours * 3_600, points=720)["step_s"] for hours in (1, 24)]
    assert steps == pytest.approx([10, 60, 120], rel=0.01), "a minute at least, of what is kept in minutes"
    assert api.get("/system", since=time.time() + 10)["nodes"] != []


def test_a_site_may_refuse_that_its_machine_is_told_of_and_the_server_knows_that_it_does(
    session_server: ServerProcess, api: Api, start_command: StartCommand
) -> None:
    flags = ("--client-id", "quiet", "--server", session_server.link, "--dataset", "digits")
    quiet = start_command(
        "run_client.py", *flags, "--send-usage", "off", env={"FEDLOOM_HOME": str(session_server.home)}
    )
    api.wait_for_client("quiet", "idle", timeout_s=120)
    with Page(session_server.url) as page:
        page.snapshot()
        wait_until(lambda: len(page.usages) > 3, "others are told of for some time", timeout_s=60)

    assert api.clients()["quiet"]["withholds_usage"]
    assert node(api, "quiet") is None
    quiet.end()


def test_a_client_that_floods_is_kept_within_its_bounds_and_stays(
    session_server: ServerProcess, api: Api
) -> None:
    began = time.time()
    with RawClient(session_server.home) as client:
        welcome = client.hello("flood").welcome
        assert welcome.takes_usage
        for _ in range(5_000):
            client.send(usage=FRAME)
        client.send(log=LogLine(level="info", message="the flood is over"))
        wait_until(
            lambda: any(entry["message"] == "the flood is over" for entry in api.logs(source="flood")),
            "all was read",
            timeout_s=60,
        )
        found = node(api, "flood", points=1_000)
        assert found is not None
        assert found["connected"]
        assert 1 <= len(found["series"]) <= 10 + (time.time() - began) + 1


def test_a_client_that_says_what_cannot_be_is_sent_away(session_server: ServerProcess, api: Api) -> None:
    with RawClient(session_server.home) as client:
        client.hello("liar")
        client.send(usage=Usage(cpu=-1.0, cores=4))
        client.ending()
    api.wait_for_client("liar", "lost")
    assert node(api, "liar") is None
    assert any("cannot be: cpu" in entry["message"] for entry in api.logs())


def test_a_server_that_does_not_know_the_frame_is_not_sent_it(tmp_path: Path) -> None:
    identity = ServerIdentity.load_or_make(tmp_path)
    bus = EventBus()
    served, registry = a_link(identity, Spool(tmp_path / "spool"), bus=bus)
    port = served.start("127.0.0.1", 0)
    identity.invite(tmp_path, "127.0.0.1", port)
    runtime = Runtime(BuiltInApp(ClientApp()), {}, threads=1)
    link = Link(
        member("a", f"127.0.0.1:{port}", tmp_path),
        ClientIdentity("a", "digits", ("cnn",), "here", "cpu"),
        runtime,
        lambda _: None,
    )

    async def tell() -> None:
        serving = asyncio.create_task(link.run())
        await asyncio.to_thread(wait_until, lambda: registry.counts().connected, "it is connected")
        link.send_usage(FRAME)
        link.send_log(LogLine(level="info", message="told"))
        was_read = lambda: any(entry.message == "told" for entry in bus.logs())  # noqa: E731
        await asyncio.to_thread(wait_until, was_read, "what came after it is read")
        client = registry.get("a")
        assert client is not None
        assert client.state is ClientState.IDLE
        serving.cancel()
        await asyncio.wait([serving], timeout=30)

    try:
        asyncio.run(tell())
    finally:
        served.stop(0.0)


def test_prometheus_needs_a_token_of_a_viewer_and_no_more(guarded: ServerProcess) -> None:
    with administrator(guarded) as admin:
        wish = {"label": "prometheus", "role": "viewer"}
        token = admin.post("/api/v1/tokens", json=wish).json()["token"]
    with browser(guarded) as stranger:
        assert stranger.get("/metrics").status_code == 401
    with bearer(guarded, token) as prometheus:
        answer = prometheus.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert families["fedloom_store_up"].samples[0].value == 1
