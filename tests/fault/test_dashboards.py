"""What becomes of open pages when a part of a deployment dies in the middle of a run."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.support.dashboards import Deployment, Viewer, numbers
from tests.support.page import Page
from tests.support.postgres import running_postgres
from tests.support.redis import running_redis
from tests.support.site import Site, require_all_seen
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_postgres() as postgres, running_redis() as redis, Fleet() as fleet:
        deployment = Deployment(tmp_path_factory.mktemp("site"), "--redis", redis.url)
        deployment.start("--store", postgres.new_database())
        home = tmp_path_factory.mktemp("clients")
        Clients(fleet, deployment.federation, home / "data", home).start("a", "b")
        with deployment.api() as api:
            run = api.start(dataset="digits", model="linear", num_rounds=5_000, min_clients=2)
            api.wait_for_run(run["id"], "running")
        yield Site(deployment, postgres, redis, run["id"])
        deployment.end()


@pytest.fixture
def two_pages(site: Site) -> Iterator[tuple[Page, Page]]:
    one, other = site.dashboards
    with site.deployment.page(one) as first, site.deployment.page(other) as second:
        yield first, second


def require_both_have_seen_all(site: Site, pages: tuple[Page, Page]) -> None:
    start = max(page.snapshot()["seq"] for page in pages)
    happened = site.happened(start)
    for page in pages:
        page.wait_for_seq(happened[-1]["seq"])
        require_all_seen(page.events, start, happened)
        assert len(page.snapshots) == 1
    site.go_on()


def test_redis_is_killed_and_started_again(site: Site, two_pages: tuple[Page, Page]) -> None:
    site.wait_for_rounds(1)
    site.redis.kill()
    newest = max(numbers(two_pages[0]))
    two_pages[0].wait_for_seq(newest + 20)  # without Redis pages go on all the same
    site.wait_for_rounds(1)
    site.redis.start()
    for each in site.dashboards:
        each.wait_for_output("Redis works again")
    site.wait_for_rounds(1)

    require_both_have_seen_all(site, two_pages)


def test_redis_forgets_what_nobody_has_read_yet(site: Site, two_pages: tuple[Page, Page]) -> None:
    import redis

    site.wait_for_rounds(1)
    with redis.Redis(port=site.redis.port) as client:
        for _ in range(20):
            client.flushall()
            time.sleep(0.1)  # events come and go meanwhile
    site.wait_for_rounds(1)

    require_both_have_seen_all(site, two_pages)


def test_postgresql_is_killed_and_started_again(site: Site, two_pages: tuple[Page, Page]) -> None:
    site.wait_for_rounds(1)
    site.postgres.stop("immediate")
    for page in two_pages:
        page.wait_for(
            lambda event: event["type"] == "store_update" and event["data"]["problem"] is not None,
            "the page says that nothing is kept",
        )
    site.postgres.start()
    for page in two_pages:
        page.wait_for(
            lambda event: event["type"] == "store_update" and event["data"]["problem"] is None,
            "the page says that the database works again",
        )
    site.wait_for_rounds(1)

    require_both_have_seen_all(site, two_pages)


def test_a_dashboard_is_killed_and_started_again(site: Site) -> None:
    one, other = site.dashboards
    with Viewer([one.url, other.url], site.deployment.headers) as viewer:
        start = viewer.began
        site.deployment.kill(one)
        wait_until(viewer.came_back.is_set, "the page goes on at the other dashboard")
        again = site.deployment.start_dashboard(port=one.port)
        viewer.came_back.clear()
        site.deployment.kill(other)
        wait_until(viewer.came_back.is_set, "the page goes on at the one that was started again")
        site.wait_for_rounds(1)
        happened = site.happened(start)
        wait_until(lambda: viewer.newest >= happened[-1]["seq"], "the page has all of it")
        site.go_on()
    site.deployment.start_dashboard("--async-mode", "threading")

    assert again.process.poll() is None
    require_all_seen(viewer.events, start, happened)
    assert len(viewer.snapshots) == 1


def test_the_federation_is_killed_and_started_again(site: Site) -> None:
    one, other = site.dashboards
    headers = site.deployment.headers
    with Viewer([one.url], headers) as first, Viewer([other.url], headers) as second:
        before = first.instance
        site.deployment.kill(site.deployment.federation)
        with site.deployment.api(one) as api:
            refused = api.stop(site.run_id)
            assert refused.status_code == 503
            assert "nothing was done" in refused.json()["detail"]
        site.deployment.restart_federation()
        with site.api() as api:
            now = api.get("/status")["instance"]
        for page in (first, second):
            wait_until(lambda page=page: page.instance == now, "the page starts over", 60.0)  # type: ignore[misc]
        site.wait_for_rounds(1)
        happened = site.happened(max(first.began, second.began))
        for page in (first, second):
            wait_until(lambda page=page: page.newest >= happened[-1]["seq"], "it has seen all")  # type: ignore[misc]
        site.go_on()

    assert before != now
    for page in (first, second):
        require_all_seen(page.since_snapshot(), max(first.began, second.began), happened)
