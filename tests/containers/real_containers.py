"""The compose file as it really runs: every part in a container, a person at nginx, and parts that die.

Not among the tests that all run, since it builds images for minutes and needs Podman, podman-compose,
debootstrap and the rights of root: `python -m pytest tests/containers/real_containers.py`.
With FEDLOOM_TEST_BUILT=1 the images are taken as they are; FEDLOOM_TEST_BUILD_ARGS are further arguments of
`podman build`. FEDLOOM_TORCH_BACKEND says which PyTorch they get, as in containers/.env.example: set to
nothing (`FEDLOOM_TORCH_BACKEND= python -m pytest …`) the default one, where PyTorch's index is out of reach.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.support.api import Api, Json
from tests.support.compose import Compose
from tests.support.dashboards import Viewer, but_of_the_audit_log, has_audit_log, newest_of_each
from tests.support.people import PASSWORD
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.timeout(3600), pytest.mark.alone]

ROUNDS = 400
"""So many that the run goes on when the last part has died and come back."""

LONG_S = 300.0
KEY = "/var/lib/fedloom/home/keys/page-key"
RUN = {"dataset": "digits", "model": "linear", "min_clients": 2, "num_partitions": 6}


class Site:
    """All that docker-compose.yml starts, and somebody with the server's key."""

    def __init__(self, compose: Compose) -> None:
        self.compose = compose
        self.url = compose.url
        (server,) = compose.containers("server")
        wait_until(lambda: "FedLoom is ready" in compose.logs(server), "the server is ready", LONG_S)
        self.setup = re.findall(r"http://localhost:\d+/#setup=\S+", compose.logs(server))[-1]
        self.key = compose.podman("exec", server, "cat", KEY).strip()
        self.headers = {"Authorization": f"Bearer {self.key}"}
        self.api = Api(self.url)
        self.api.http.headers.update(self.headers)
        wait_until(self.answers, "the page answers by nginx", LONG_S)

    def answers(self) -> bool:
        """Whether a dashboard behind nginx shows the federation."""
        health = self.api.http.get("/healthz")
        return health.status_code == 200 and '"ok"' in health.text

    def connected(self) -> set[str]:
        """The clients that are connected now."""
        return {name for name, each in self.api.clients().items() if each["state"] != "lost"}

    def wait_for_clients(self, count: int) -> set[str]:
        """Until there are so many, neither more nor fewer; who they are."""
        wait_until(lambda: len(self.connected()) == count, f"{count} clients are connected", LONG_S)
        return self.connected()

    def wait_for_rounds(self, run_id: str, count: int) -> None:
        """Until so many more rounds of a run are complete."""
        before = self.api.wait_for_run(run_id, "running")["round"]
        until = before + count
        wait_until(lambda: self.api.run(run_id)["round"] >= until, f"round {until} is complete", LONG_S)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    compose = Compose(FEDLOOM_CLIENTS="3")
    compose.down()
    if os.environ.get("FEDLOOM_TEST_BUILT") != "1":
        compose.build()
    compose.up()
    try:
        made = Site(compose)
        yield made
        made.api.close()
    finally:
        for service in ("server", "dashboard", "client", "nginx", "redis", "postgres", "secrets"):
            for container in compose.containers(service):
                sys.stdout.write(f"== {container}\n{compose.logs(container)[-4000:]}\n")
        compose.down()


def test_the_first_administrator_is_made_by_the_address_in_the_servers_log(page: Page, site: Site) -> None:
    page.goto(site.setup)
    page.get_by_label("name").fill("ada")
    page.get_by_label("password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make administrator").click()

    expect(page.get_by_role("button", name="ada")).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected", timeout=30_000)


def test_each_client_has_a_key_of_its_own(site: Site) -> None:
    names = site.wait_for_clients(3)

    clients = site.api.clients()
    assert len({clients[name]["key"] for name in names}) == 3
    assert all(clients[name]["ephemeral"] for name in names)
    assert len(site.compose.containers("client")) == 3


def test_nobody_is_root_and_no_container_can_change_its_files(site: Site) -> None:
    for service in ("server", "dashboard", "client", "nginx", "redis", "postgres"):
        for container in site.compose.containers(service):
            assert site.compose.podman("exec", container, "id", "-u").strip() != "0", container
            tried = site.compose.podman("exec", container, "sh", "-c", "touch /x 2>&1 || true")
            assert "Read-only file system" in tried, container


def test_networks_are_apart(site: Site) -> None:
    """Clients find the server alone, nginx the dashboards, and nothing but the server PostgreSQL."""
    compose = site.compose

    def found_by(service: str) -> set[str]:
        container = compose.containers(service)[0]
        names = ("server", "dashboard", "postgres", "redis", "nginx")
        ask = ("exec", container, "getent", "hosts")
        return {name for name in names if name != service and compose.podman(*ask, name, check=False)}

    assert found_by("client") == {"server"}
    assert found_by("nginx") == {"dashboard"}
    assert found_by("dashboard") == {"server", "redis", "nginx"}
    assert found_by("redis") == {"server", "dashboard"}
    assert found_by("postgres") == {"server"}


def test_a_run_completes_while_parts_of_the_deployment_die(page: Page, site: Site) -> None:
    compose, api = site.compose, site.api
    site.wait_for_clients(3)
    with Viewer([site.url], site.headers) as viewer:
        run = api.start(num_rounds=ROUNDS, **RUN)
        page.goto(f"{site.url}/?token={site.key}")
        page.goto(f"{site.url}/runs/{run['id']}")
        expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "running", timeout=60_000)
        began = viewer.began

        site.wait_for_rounds(run["id"], 2)
        for dashboard in compose.containers("dashboard"):  # one after the other: each page loses its own once
            compose.crash(dashboard)
            wait_until(site.answers, "a dashboard answers", LONG_S)
            site.wait_for_rounds(run["id"], 2)
        expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected", timeout=60_000)

        compose.podman("restart", *compose.containers("postgres"))
        compose.podman("restart", *compose.containers("redis"))
        site.wait_for_rounds(run["id"], 3)

        names = site.wait_for_clients(3)
        compose.crash(compose.containers("client")[0])
        assert site.wait_for_clients(3) == names  # with the key that it had
        site.wait_for_rounds(run["id"], 2)

        ended = api.wait_for_run(run["id"], "completed", timeout_s=600.0)
        expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "completed", timeout=60_000)
        expect(page.get_by_test_id("round")).to_have_text(f"{ROUNDS} of {ROUNDS}")

        last = wait_until(lambda: _all_seen(viewer, api, began), "the viewer has all that happened", LONG_S)

    assert ended["round"] == ROUNDS
    assert [each["round"] for each in api.rounds(run["id"])] == list(range(ROUNDS + 1))
    assert all(each["complete"] for each in api.rounds(run["id"]))
    assert viewer.came_back.is_set()
    assert len(viewer.snapshots) == 1
    sent = [event["seq"] for event in viewer.events]
    assert [after for before, after in pairwise(sent) if after <= before] == []
    assert last


def _all_seen(viewer: Viewer, api: Api, began: int) -> list[Json] | None:
    """What happened after a number; None: not all of it, or something else, was seen."""
    happened: list[Json] = [*_pages_of_events(api, began)]
    up_to = happened[-1]["seq"]

    def of(events: list[Json]) -> list[Json]:
        kept = [event for event in events if began < event["seq"] <= up_to]
        return but_of_the_audit_log(newest_of_each(kept))

    seen = viewer.events
    return happened if of(seen) == of(happened) and has_audit_log(seen, happened) else None


def _pages_of_events(api: Api, since: int) -> Iterator[Json]:
    while events := api.get("/events", since=since)["events"]:
        yield from events
        since = events[-1]["seq"]


def test_clients_are_scaled_up_and_down(site: Site) -> None:
    before = site.wait_for_clients(3)

    site.compose.up("--scale", "client=5", "client")
    more = site.wait_for_clients(5)
    assert before < more

    run = site.api.start(num_rounds=2, **RUN | {"min_clients": 5})
    site.api.wait_for_run(run["id"], "completed", timeout_s=LONG_S)

    for container in site.compose.containers("client")[3:]:
        site.compose.podman("stop", container)
        site.compose.podman("rm", "--volumes", container)
    assert site.wait_for_clients(3) == before
    wait_until(lambda: site.api.clients().keys() == before, "who has left is forgotten", LONG_S)
