"""A federation and its dashboards, each a process of its own, over a real Redis and a real PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.support.api import Api, Json
from tests.support.dashboards import (
    Deployment,
    but_of_the_audit_log,
    has_audit_log,
    newest_of_each,
    numbers,
)
from tests.support.page import Page
from tests.support.people import CSRF, PASSWORD, OpenPage, log_in
from tests.support.postgres import running_postgres
from tests.support.processes import Command
from tests.support.raw_link import RawClient
from tests.support.redis import running_redis
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with running_postgres() as postgres, running_redis() as redis:
        site = Deployment(tmp_path_factory.mktemp("site"), "--redis", redis.url)
        site.start("--store", postgres.new_database())
        yield site
        site.end()


@pytest.fixture
def api(site: Deployment) -> Iterator[Api]:
    with site.api() as api:
        yield api
        api.end_all_runs()


def seen_by(page: Page, since: int) -> list[Json]:
    """What a page was sent after a number, but for the audit log's state."""
    return [event for event in but_of_the_audit_log(newest_of_each(page.events)) if event["seq"] > since]


def test_a_run_that_is_watched_on_two_dashboards_is_seen_in_full_and_once(
    site: Deployment, api: Api, tmp_path: Path
) -> None:
    with Fleet() as fleet, site.page(site.dashboards[0]) as one, site.page(site.dashboards[1]) as other:
        start = max(one.snapshot()["seq"], other.snapshot()["seq"])
        Clients(fleet, site.federation, site.home / "data", tmp_path).start("a", "b")
        run = api.start(dataset="digits", num_rounds=3, min_clients=2)
        api.wait_for_run(run["id"], "completed")
        api.wait_until_idle()
        happened = api.get("/events", since=start)["events"]
        for page in (one, other):
            page.wait_for_seq(happened[-1]["seq"])

    told = but_of_the_audit_log(newest_of_each(happened))
    for page in (one, other):
        seen = [event for event in seen_by(page, start) if event["seq"] <= happened[-1]["seq"]]
        assert seen == told
        assert numbers(page) == sorted(set(numbers(page)))
        assert len(page.snapshots) == 1
        assert has_audit_log(page.events, happened)
    types = {"run_update", "metrics_update", "client_update", "log", "audit_update"}
    assert {event["type"] for event in happened} >= types


def test_a_page_that_comes_late_has_the_state_as_the_federation_has_it(site: Deployment, api: Api) -> None:
    run = api.start()
    api.wait_for_reason(run["id"], "waiting for")
    newest = api.get("/status")["seq"]

    with site.page(site.dashboards[0]) as page:
        snapshot = page.snapshot()
        if snapshot["seq"] < newest:
            page.wait_for_seq(newest)

    shown = {each["id"]: each for each in snapshot["runs"]}
    shown |= {event["data"]["id"]: event["data"] for event in page.events if event["type"] == "run_update"}
    assert shown == {each["id"]: each for each in api.get("/runs")["runs"]}
    assert snapshot["instance"] == api.get("/status")["instance"]


def test_what_a_dashboard_is_told_to_do_the_federation_does(site: Deployment, api: Api) -> None:
    one, other = site.dashboards
    with site.page(other) as page, site.api(one) as there:
        page.snapshot()
        run = there.start(num_rounds=7)
        page.wait_for(
            lambda event: event["type"] == "run_update" and event["data"]["id"] == run["id"],
            "the run is shown",
        )
        assert api.run(run["id"])["spec"]["num_rounds"] == 7
        there.wait_for_run(run["id"], "waiting")
        there.command(run["id"], "pause")
        with site.api(other) as elsewhere:
            assert elsewhere.stop(run["id"]).status_code == 200
        page.wait_for(
            lambda event: (
                event["type"] == "run_update"
                and event["data"]["id"] == run["id"]
                and event["data"]["state"] == "stopped"
            ),
            "it is stopped",
        )
        refused = there.http.post(f"/api/v1/runs/{run['id']}/pause")

    assert refused.status_code == 409
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_whoever_logs_in_at_one_dashboard_is_known_at_the_other(site: Deployment, api: Api) -> None:
    one, other = site.dashboards
    added = api.http.post("/api/v1/users", json={"name": "ann", "role": "operator", "password": PASSWORD})
    assert added.status_code == 201, added.text
    with httpx.Client(base_url=one.url) as browser, httpx.Client(base_url=other.url) as elsewhere:
        log_in(browser, "ann")
        elsewhere.cookies.update(browser.cookies)
        elsewhere.headers[CSRF] = browser.headers[CSRF]
        assert elsewhere.get("/api/v1/me").json()["name"] == "ann"
        run = elsewhere.post("/api/v1/runs", json={})
        assert run.status_code == 201, run.text

        with OpenPage(elsewhere) as page:  # and whoever logs out, loses the page that is open at the other
            assert browser.post("/api/v1/logout").status_code == 204
            page.wait_until_ended()
        assert elsewhere.get("/api/v1/me").status_code == 401

    entries = [entry["fields"] for entry in api.get("/audit/entries", limit=50)["entries"]]
    (started,) = [
        each for each in entries if each.get("run") == run.json()["id"] and each.get("command") == "start"
    ]
    assert (started["by"], started["address"]) == ("user ann", "127.0.0.1")


def test_nobody_is_let_in_at_a_dashboard_who_is_not_known(site: Deployment) -> None:
    one, _ = site.dashboards
    with httpx.Client(base_url=one.url) as nobody:  # of this machine's own user, who started the federation
        assert nobody.get("/api/v1/status").status_code == 401
        assert nobody.get("/socket.io/?EIO=4&transport=polling").status_code == 401
        assert nobody.get("/").status_code == 200
        assert nobody.get("/internal/v1/snapshot").status_code == 404
        wrong = {"X-FedLoom-Replica-Key": "0" * 43, "X-Forwarded-For": "203.0.113.9"}
        assert nobody.get("/api/v1/status", headers=wrong).status_code == 401
        there = site.federation.url
        assert nobody.get(f"{there}/internal/v1/snapshot").status_code == 403
        assert nobody.get(f"{there}/internal/v1/snapshot", headers=wrong).status_code == 403


def test_a_large_answer_comes_whole(site: Deployment, api: Api) -> None:
    one, _ = site.dashboards
    with site.api(one) as there:
        page = there.http.get("/api/openapi.json")
        export = there.http.get("/api/v1/logs/file", params={"format": "jsonl"})
    assert page.json() == api.http.get("/api/openapi.json").json()
    assert export.status_code == 200
    assert len(export.text.splitlines()) > 5
    assert "attachment" in export.headers["Content-Disposition"]


def test_what_machines_are_used_for_is_shown_at_dashboards(site: Deployment) -> None:
    with RawClient(site.federation.home) as client, site.page(site.dashboards[1]) as page:
        client.hello("near")
        wait_until(lambda: len(page.usages) >= 2, "usage comes again and again")
        wait_until(lambda: "near" in page.links, "clients' links are told")
    assert page.usages[-1]["nodes"][0]["client"] is None
    assert all(link["client"] == name and "sent_per_s" in link for name, link in page.links.items())


def doctor(site: Deployment, *flags: str) -> tuple[int, str]:
    """What the doctor says to a dashboard with these flags."""
    given = ("--role", "dashboard", "--federation", site.federation.url, "--port", "0", *flags)
    command = Command("-m app.doctor", *given, home=site.home)
    code = command.wait_for_exit(60)
    command.end()
    return code, command.output


def test_the_doctor_asks_federation_and_redis_as_a_dashboard_does(site: Deployment, tmp_path: Path) -> None:
    stranger = tmp_path / "key"
    stranger.write_text("of another federation than this one, and long enough\n")

    code, said = doctor(site, *site.flags)
    other_code, other_said = doctor(site, "--replica-key", str(stranger))

    assert code == 0, said
    assert f"federation    {site.federation.url} answers, and knows this dashboard" in said
    assert re.search(r"redis +Redis at 127\.0\.0\.1:\d+ answers", said)
    assert "link port" not in said
    assert other_code == 1
    assert "does not know this dashboard: both must have the same secret" in other_said
