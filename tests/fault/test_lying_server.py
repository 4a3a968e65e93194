"""A dishonest server among real clients: each lie is refused by name, seen on the page and in the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from app.demo.fleet import Fleet
from client.site.policy import Policy
from tests.conftest import Clients
from tests.support.api import Api, Json
from tests.support.forked_server import ForkedServer
from tests.support.lying_server import Lie
from tests.support.waiting import wait_until

FOUR = ("a", "b", "c", "d")
SPEC: dict[str, Any] = {
    "num_rounds": 3,
    "min_clients": 4,
    "num_partitions": 4,
    "model": "linear",
    "secure_aggregation": {},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedServer]:
    """One with four honest clients, which outlast it; "d" wants to be among four at least."""
    server = ForkedServer(tmp_path_factory.mktemp("lying") / "home")
    server.start()
    with Fleet() as fleet:
        clients = Clients(fleet, server, server.home)
        clients.start("a", "b", "c")
        clients.start("d", policy=Policy(minimum_cohort=4))
        with closing(Api(server.url)) as api:
            for client_id in FOUR:
                api.wait_for_client(client_id, "idle")
        server.kill()
        yield server
    server.end()


@contextmanager
def run_with(server: ForkedServer, lie: Lie, **changes: Any) -> Iterator[tuple[Api, str]]:
    """A run at a server that lies, whose end the test does not wait for."""
    server.start(lie)
    try:
        with closing(Api(server.url)) as api:
            for client_id in FOUR:
                api.wait_for_client(client_id, "idle")
            try:
                yield api, api.start(**{**SPEC, **changes})["id"]
            finally:
                api.end_all_runs()
    finally:
        server.end()  # so that the next one does not go on with a run whose end is not yet on the disk


def refusals(api: Api, run_id: str, rule: str) -> list[Json]:
    """What the clients have declined by a rule, as REST and the page have it."""
    found = api.get(f"/runs/{run_id}/verdicts", verdict="declined")["verdicts"]
    return [each for each in found if rule in each["detail"]]


@pytest.mark.parametrize(
    ("lie", "rule", "by"),
    [
        ("other_mask_key", "secagg-keys", {"a", "b", "c", "d"}),
        ("other_identity", "secagg-keys", {"a", "b", "c", "d"}),
        ("alive_and_dead", "secagg-survivors", {"a", "b", "c", "d"}),
        ("other_model_announced", "secagg-model", {"a", "b", "c", "d"}),
        ("other_model_sent", "secagg-model", {"a", "b", "c", "d"}),
        ("lower_threshold", "secagg-threshold", {"a", "b", "c", "d"}),
        ("replayed_shares", "secagg-shares", {"a", "b", "c", "d"}),
        ("shares_twice", "secagg-twice", {"a", "b", "c", "d"}),
        ("no_mask", "secagg-unmasked", {"a", "b", "c", "d"}),
        ("survivors_by_client", "secagg-survivors", {"a"}),
    ],
)
def test_a_lie_is_refused_by_every_client_that_sees_it(
    lie: str, rule: str, by: set[str], server: ForkedServer
) -> None:
    _assert_refused(server, lie, rule, by)


@pytest.mark.parametrize(
    ("lie", "rule", "by"),
    [
        ("noise_of_fewer", "secagg-noise", {"a", "b", "c"}),
        ("less_noise", "secagg-keys", {"a"}),
    ],
)
def test_no_client_takes_part_in_a_sum_with_less_noise_than_was_agreed(
    lie: str, rule: str, by: set[str], server: ForkedServer
) -> None:
    shared = {"strategy": "dpfedavg-fixed", "secure_aggregation": {"threshold": 1.0}}
    _assert_refused(server, lie, rule, by, **shared)


def _assert_refused(server: ForkedServer, lie: str, rule: str, by: set[str], **changes: Any) -> None:
    with run_with(server, Lie(lie), **changes) as (api, run_id):

        def all_refuse() -> bool:
            return by <= {each["client_id"] for each in refusals(api, run_id, rule)}

        wait_until(all_refuse, f"{sorted(by)} refuse by {rule}")
        wait_until(lambda: by <= entered(api, run_id, rule), f"the refusals by {rule} are in the audit log")
        wait_until(lambda: by <= said(api, run_id, rule), f"the clients say that they refuse by {rule}")


def entered(api: Api, run_id: str, rule: str) -> set[str]:
    """Whose refusals by a rule are in the audit log, of this run."""
    entries = [entry["fields"] for entry in api.get("/audit/entries", limit=100)["entries"]]
    return {
        fields["client"]
        for fields in entries
        if fields.get("run") == run_id and rule in (fields.get("detail") or "")
    }


def said(api: Api, run_id: str, rule: str) -> set[str]:
    """Which clients say so in their log."""
    words = f"takes no part in run {run_id}: {rule}"
    return {entry["source"] for entry in api.logs(level="warning") if entry["message"].startswith(words)}


def test_a_cohort_that_is_smaller_than_announced_is_refused(server: ForkedServer) -> None:
    with run_with(server, Lie("smaller_cohort"), fraction_train=0.75, num_rounds=10) as (api, run_id):
        wait_until(
            lambda: "d" in {each["client_id"] for each in refusals(api, run_id, "secagg-cohort")},
            "d refuses a cohort of three",
        )
        wait_until(lambda: "d" in entered(api, run_id, "secagg-cohort"), "that is in the audit log")
        wait_until(lambda: "d" in said(api, run_id, "secagg-cohort"), "d says so in its log")


def test_the_same_clients_go_on_with_a_server_that_is_honest(server: ForkedServer) -> None:
    server.start()
    with closing(Api(server.url)) as api:
        for client_id in FOUR:
            api.wait_for_client(client_id, "idle")
        run_id = api.start(**SPEC)["id"]
        run = api.wait_for_run(run_id, "completed")
        assert run["final"]["accuracy"] > 0.5
        assert refusals(api, run_id, "secagg") == []
