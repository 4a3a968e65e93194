"""The whole of a deployment behind the containers' nginx, as plain processes.

PostgreSQL, Redis, a federation, two dashboards, three clients and a browser; and what becomes of its page
when parts die in the middle of a run.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby

import pytest
from playwright.sync_api import Browser, Page, expect

from app.auth.page_key import PAGE_KEY
from app.demo.fleet import Fleet
from shared.security.server_identity import KEYS, local_invitation
from tests.conftest import Clients
from tests.support.behind_nginx import LATER, SECOND, BehindNginx
from tests.support.dashboards import Viewer
from tests.support.many_pages import ManyPages
from tests.support.name_server import NameServer
from tests.support.nginx import Nginx, an_nginx
from tests.support.postgres import running_postgres
from tests.support.redis import running_redis
from tests.support.site import Site, require_all_seen, something_happens
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(400)  # ten processes are started

TRIO = ["client-1", "client-2", "client-3"]
PAGES = 400
SLOW_MS = 60_000

MOST_AWAY_S, MOST_AWAY_AT_WORK_S = 3.0, 60.0
"""From the loss of its dashboard until a page is sent something by another; and where the machine has so much
else to do that this says nothing of FedLoom."""

MUCH = 4
"""Processes for each core that want to run."""


@dataclass
class Proxied(Site):
    """A site whose pages and clients come by nginx."""

    deployment: BehindNginx

    @property
    def nginx(self) -> Nginx:
        return self.deployment.nginx

    @property
    def key(self) -> str:
        return (self.deployment.home / KEYS / PAGE_KEY).read_text().strip()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    with ExitStack() as stack:
        nginx = stack.enter_context(an_nginx(CONNECTIONS=2 * PAGES))
        postgres, redis = stack.enter_context(running_postgres()), stack.enter_context(running_redis())
        names, fleet = stack.enter_context(NameServer()), stack.enter_context(Fleet())
        home = tmp_path_factory.mktemp("site")
        deployment = BehindNginx(home, nginx, names, "--redis", redis.url)
        deployment.start("--store", postgres.new_database())
        stack.callback(deployment.end)
        theirs = tmp_path_factory.mktemp("clients")
        Clients(fleet, deployment, theirs / "data", theirs).start(*TRIO)
        with deployment.api() as api:
            for client in TRIO:
                api.wait_for_client(client, "idle")
            whole = api.start(dataset="digits", model="linear", num_rounds=3, min_clients=3)
            api.wait_for_run(whole["id"], "completed")
            endless = api.start(dataset="digits", model="linear", num_rounds=5_000, min_clients=3)
            api.wait_for_round(endless["id"], 1)
        yield Proxied(deployment, postgres, redis, endless["id"])


def open_page(page: Page, site: Proxied) -> list[str]:
    """Of somebody with the key; the addresses of the WebSockets that it opens."""
    opened: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    page.goto(f"{site.nginx.url}/?token={site.key}")
    expect(page).to_have_url(f"{site.nginx.url}/")
    require_live(page, site)
    return opened


def require_live(page: Page, site: Proxied) -> None:
    """That it is told of a round which begins from now on, and shows none twice."""
    with site.api() as api:
        now = api.run(site.run_id)["round"]
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected", timeout=SLOW_MS)
    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "running", timeout=SLOW_MS)
    page.wait_for_function(
        """before => [...document.querySelectorAll("[data-testid=round-row]")]
            .some(row => Number(row.dataset.round) > before)""",
        arg=now,
        timeout=SLOW_MS,
    )
    rounds = page.get_by_test_id("round-row").evaluate_all(
        "rows => rows.map(row => Number(row.dataset.round))"
    )
    assert rounds == sorted(set(rounds))


def test_a_page_is_live_by_websocket_alone(page: Page, site: Proxied) -> None:
    opened = open_page(page, site)
    require_live(page, site)
    assert len(opened) == 1
    assert opened[0].startswith(f"ws://localhost:{site.nginx.port}/socket.io/")
    assert [each for each in site.nginx.requests if "polling" in each["path"]] == []
    assert site.key not in site.nginx.access_log + site.nginx.said


def test_a_page_works_by_https_below_a_path(browser: Browser, site: Proxied) -> None:
    """Another nginx before the same dashboards, which know nothing of it but what it tells them."""
    settings = {name: value for name, value in site.nginx.settings.items() if name.startswith("UPSTREAM_")}
    settings["RESOLVER"] = site.deployment.names.address
    with an_nginx(https=True, LINK_LISTEN="", **settings) as nginx:
        base = f"https://localhost:{nginx.https_port}/study/fedloom"
        nginx.settings["PUBLIC_URL"] = base
        nginx.start()
        context = browser.new_context(ignore_https_errors=True)
        page = context.new_page()
        opened: list[str] = []
        page.on("websocket", lambda socket: opened.append(socket.url))
        page.goto(f"{nginx.url}/study/fedloom/?token={site.key}")  # by HTTP
        expect(page).to_have_url(f"{base}/")
        require_live(page, site)
        (cookie,) = context.cookies()
        context.close()
        assert opened[0].startswith(base.replace("https", "wss") + "/socket.io/")
        assert (cookie["path"], cookie["secure"], cookie["httpOnly"]) == ("/study/fedloom/", True, True)
        assert {each["protocol"] for each in nginx.requests} >= {"HTTP/2.0", "HTTP/1.1"}
        assert site.key not in nginx.access_log + nginx.said


def test_the_link_is_the_federations_own_from_end_to_end(site: Proxied) -> None:
    federation = site.deployment.federation
    by_nginx, direct = (
        ssl.get_server_certificate(("127.0.0.1", port))
        for port in (site.nginx.link_port, federation.link_port)
    )
    assert by_nginx == direct
    assert local_invitation(site.deployment.home) is not None  # whose key the three clients have pinned
    with site.api() as api:
        assert {name for name, client in api.clients().items() if client["state"] != "lost"} == set(TRIO)


def test_what_is_told_is_told_once_while_parts_die(page: Page, site: Proxied) -> None:
    """A dashboard is killed and one with another address takes its place; Redis and PostgreSQL are killed and
    started again."""
    open_page(page, site)
    with Viewer([site.nginx.url], site.deployment.headers) as viewer:
        start = viewer.began

        first = site.dashboards[0]
        site.deployment.kill(first)
        site.wait_for_rounds(1)
        require_live(page, site)
        site.deployment.forget(first)
        site.deployment.add(LATER)

        site.redis.kill()
        site.wait_for_rounds(1)
        site.redis.start()
        site.postgres.stop("immediate")
        wait_until(lambda: _is_kept(viewer) == [False], "the page says that nothing is kept", 60.0)
        site.postgres.start()
        wait_until(lambda: _is_kept(viewer) == [False, True], "the page says that it is kept again", 60.0)
        require_live(page, site)

        (second,) = [each for each in site.dashboards if each.address == SECOND]
        site.deployment.kill(second)  # only the new address is left
        require_live(page, site)

        happened = site.happened(start)
        wait_until(lambda: viewer.newest >= happened[-1]["seq"], "it has seen all", 60.0)
        site.go_on()
    site.deployment.add(SECOND)

    require_all_seen(viewer.events, start, happened)
    assert len(viewer.snapshots) == 1


def _is_kept(viewer: Viewer) -> list[bool]:
    """Whether what happens is kept, by each time that a page was told."""
    updates = [event["data"] for event in viewer.events if event["type"] == "store_update"]
    return [is_kept for is_kept, _ in groupby(update["problem"] is None for update in updates)]


def test_a_reload_takes_over_settings_and_keeps_what_is_open(site: Proxied) -> None:
    another_name = {"Host": "fl.example.org"}
    with (
        site.nginx.client(headers=another_name) as stranger,
        Viewer([site.nginx.url], site.deployment.headers) as viewer,
    ):
        assert stranger.get("/healthz").status_code == 421
        with site.api() as api:
            visits = {name: client["connected_at"] for name, client in api.clients().items()}

        site.nginx.reload(SERVER_NAMES="localhost fl.example.org")

        # The dashboard, which listens on this machine only, has other words for that name.
        wait_until(lambda: _status_of_new_connection(site) == 403, "the new name is answered to", 60.0)
        newest = viewer.newest
        wait_until(lambda: viewer.newest > newest + 20, "the page goes on", 60.0)
        assert not viewer.came_back.is_set()
        with site.api() as api:
            assert visits == {name: client["connected_at"] for name, client in api.clients().items()}


def _status_of_new_connection(site: Proxied) -> int:
    with site.nginx.client(headers={"Host": "fl.example.org"}) as client:
        return client.get("/healthz").status_code


@pytest.mark.alone
def test_four_hundred_pages_outlive_one_of_two_dashboards(site: Proxied) -> None:
    one = site.dashboards[0]
    with (
        something_happens(site),
        ManyPages([site.nginx.url], site.deployment.headers, PAGES) as many,
        site.api() as api,
    ):
        start = max(page.seq or 0 for page in many.pages)
        wait_until(lambda: all((page.seq or 0) > start for page in many.pages), "all follow")
        site.deployment.kill(one)
        wait_until(many.away, "some have come back")
        wait_until(lambda: all(page.lost_at is None for page in many.pages), "all have come back", 60.0)
        newest = api.get("/status")["seq"]
        wait_until(lambda: all((page.seq or 0) >= newest for page in many.pages), "all have seen all")
        happened = api.get("/events", since=start)["events"]

    wanted = {event["seq"] for event in happened if event["type"] == "log" and event["seq"] <= newest}
    for page in many.pages:
        assert wanted <= set(page.seen)
        assert page.seen == sorted(set(page.seen))
        assert page.snapshots == 1
    assert PAGES // 4 < len(many.away()) < PAGES * 3 // 4  # the others were at the other one
    is_at_work = os.getloadavg()[0] > MUCH * (os.cpu_count() or 1)
    assert max(many.away()) < (MOST_AWAY_AT_WORK_S if is_at_work else MOST_AWAY_S), sorted(many.away())
