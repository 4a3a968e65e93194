"""What the clients of one run had and what happened in it is told apart from other runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import g
from flask.testing import FlaskClient

from app.api.openapi import create_openapi_app
from app.api.problems import register_problem_handlers
from app.api.run_records import run_records_api
from app.auth.identity import By, Credential, Identity
from app.auth.roles import Role
from app.event_bus import EventBus
from app.federation.runs.book import RunBook
from app.records import ClientRound, LogLevel, LogRecord, Round, RoundUpdate, RunState
from app.store.store import Store
from app.store.urls import default_url
from tests.support.records import a_client, a_run

FIRST, SECOND = "00000001", "00000002"


def sent_by_the_owner() -> None:
    g.identity = Identity(Role.ADMIN, By.OWNER, None, Credential(By.OWNER))


class Server:
    """One that has two runs, of which the first is over."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.bus = EventBus()
        book = RunBook(EventBus())
        now = time.time()
        ended = {"state": RunState.COMPLETED, "finished_at": now - 50}
        book.add(a_run(FIRST, created_at=now - 100, **ended))
        book.add(a_run(SECOND, created_at=now - 10))
        env = SimpleNamespace(
            book=book,
            store=store,
            started_at=now - 200,
            writer=SimpleNamespace(problem=None, flush=self.keep),
        )
        self.app = create_openapi_app("app")
        self.app.extensions["fedloom"] = env
        register_problem_handlers(self.app)
        self.app.before_request(sent_by_the_owner)
        self.app.register_api(run_records_api)
        self._kept = 0

    def keep(self, timeout_s: float) -> None:
        """As the writer does."""
        self.store.apply(self.bus.since(self._kept))
        self._kept = self.bus.last

    def logs(self, message: str, run_id: str | None = None, level: LogLevel = "info", **more: str) -> None:
        known = {"source": "server", "logger": "app.federation", **more}
        self.bus.publish(LogRecord(level=level, message=message, run_id=run_id, **known))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Store.open(default_url(tmp_path)) as store:
        yield Server(store)


@pytest.fixture
def browser(server: Server) -> FlaskClient:
    return server.app.test_client()


def messages(browser: FlaskClient, run_id: str, **query: int) -> list[str]:
    answer = browser.get(f"/api/v1/runs/{run_id}/logs", query_string=query).get_json()
    return [entry["message"] for entry in answer["logs"]]


def test_label_counts_stay_with_the_run_in_which_they_were_told(server: Server, browser: FlaskClient) -> None:
    server.bus.publish(a_client("a", run=FIRST, label_counts=(3, 1)))
    server.bus.publish(a_client("b", run=FIRST, label_counts=None))
    server.bus.publish(a_client("a", run=SECOND, label_counts=None))  # it has its part, and trains
    server.bus.publish(a_client("a", run=SECOND, label_counts=(0, 4)))

    first = browser.get(f"/api/v1/runs/{FIRST}/labels").get_json()
    second = browser.get(f"/api/v1/runs/{SECOND}/labels").get_json()

    assert first == {"label_counts": {"a": [3, 1]}}
    assert second == {"label_counts": {"a": [0, 4]}}


def test_label_counts_that_a_client_corrects_are_replaced(server: Server, browser: FlaskClient) -> None:
    server.bus.publish(a_client("a", run=FIRST, label_counts=(3, 1)))
    server.keep(1.0)
    server.bus.publish(a_client("a", run=FIRST, label_counts=(5, 5)))

    assert browser.get(f"/api/v1/runs/{FIRST}/labels").get_json() == {"label_counts": {"a": [5, 5]}}


def test_the_rounds_in_which_an_update_counted_are_those_of_all_rounds(
    server: Server, browser: FlaskClient
) -> None:
    trained, failed, evaluated = (
        ClientRound(samples=3, train_loss=0.5),
        ClientRound(samples=3, error="it went away"),
        ClientRound(loss=1.0),
    )
    rounds = [
        {"a": evaluated},  # round 0: the initial model
        {"a": trained, "b": failed},
        {"a": ClientRound(samples=3), "b": evaluated},
        {"a": failed, "b": evaluated},
    ]
    server.bus.publish(a_run(FIRST))
    for number, parts in enumerate(rounds):
        round_ = Round(round=number, complete=True, started_at=1.0, per_client=parts)
        server.bus.publish(RoundUpdate(run_id=FIRST, round=round_))
    goes_on = Round(round=4, started_at=1.0, per_client={"a": trained, "c": trained})
    server.bus.publish(RoundUpdate(run_id=FIRST, round=goes_on))

    assert browser.get(f"/api/v1/runs/{FIRST}/delivered").get_json() == {
        "delivered": {"a": 2, "b": 0},
        "round": 3,
    }
    assert browser.get(f"/api/v1/runs/{SECOND}/delivered").get_json() == {"delivered": {}, "round": 0}
    assert browser.get("/api/v1/runs/99999999/delivered").status_code == 404


def test_the_logs_of_a_run_are_not_those_of_another(server: Server, browser: FlaskClient) -> None:
    server.logs("round 1 of the first", FIRST)
    server.logs("round 1 of the second", SECOND)
    server.logs("client-1 joined")  # now: the first run has ended before

    assert messages(browser, FIRST) == ["round 1 of the first"]
    assert messages(browser, SECOND) == ["round 1 of the second", "client-1 joined"]


def test_counts_are_of_all_records_not_of_those_that_are_listed(server: Server, browser: FlaskClient) -> None:
    for number in range(5):
        server.logs(f"line {number}", SECOND)
    server.logs("it broke", SECOND, "error")
    server.logs("printed", SECOND, logger="app")
    server.logs("of another", FIRST, "error")

    answer = browser.get(f"/api/v1/runs/{SECOND}/logs", query_string={"limit": 2}).get_json()

    assert [entry["message"] for entry in answer["logs"]] == ["it broke", "printed"]
    assert answer["counts"] == {
        "debug": 0,
        "info": 5,
        "warning": 0,
        "error": 1,
        "printed": 1,
        "first": 1,
        "last": 7,
    }


@pytest.mark.parametrize("what", ["labels", "logs"])
def test_a_run_that_does_not_exist_is_not_found(browser: FlaskClient, what: str) -> None:
    assert browser.get(f"/api/v1/runs/ffffffff/{what}").status_code == 404
