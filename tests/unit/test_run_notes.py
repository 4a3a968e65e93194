"""Runs have names, tags and notes, and can be deleted with all that is of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import g
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.api.comparison import comparison_api
from app.api.openapi import create_openapi_app
from app.api.problems import register_problem_handlers
from app.api.run_list import run_list_api
from app.api.run_notes import run_notes_api
from app.api.runs import runs_api
from app.audit.entry import Kind
from app.auth.identity import By, Credential, Identity
from app.auth.roles import Role
from app.event_bus import EventBus
from app.federation.runs.book import RunBook
from app.federation.runs.states import IDLE_STATES
from app.records import (
    Cause,
    ClientRound,
    Judgement,
    LogRecord,
    Round,
    RoundUpdate,
    Run,
    RunNotes,
    RunState,
    Verdict,
)
from app.store.store import Store
from shared.errors import IllegalTransition
from shared.run_spec import RunSpec
from tests.support.records import a_client, a_run

Entries = list[tuple[Kind, dict[str, Any]]]


class Runs:
    """The commands of the run manager that are asked for here; no run is ever active."""

    def __init__(self, book: RunBook) -> None:
        self._book = book
        self.annotate = book.annotate

    def delete(self, run_id: str) -> None:
        run = self._book.run(run_id)
        if run.state not in IDLE_STATES:
            raise IllegalTransition(f"it is {run.state}")
        self._book.remove(run_id)


class Server:
    """One with a store, and what of the rest these routes use."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.bus = EventBus()
        self.book = RunBook(self.bus)
        self.entries: Entries = []
        self._kept = 0
        self.writer = SimpleNamespace(problem=None, flush=self.keep)
        env = SimpleNamespace(
            book=self.book,
            runs=Runs(self.book),
            store=store,
            writer=self.writer,
            audit=SimpleNamespace(record=lambda kind, **fields: self.entries.append((kind, fields))),
        )
        self.app = create_openapi_app("app")
        self.app.extensions["fedloom"] = env
        register_problem_handlers(self.app)
        self.app.before_request(self._sent_by_the_owner)
        for api in (run_list_api, comparison_api, run_notes_api, runs_api):
            self.app.register_api(api)

    @staticmethod
    def _sent_by_the_owner() -> None:
        g.identity = Identity(Role.ADMIN, By.OWNER, None, Credential(By.OWNER))

    def keep(self, timeout_s: float = 0.0) -> None:
        """As the writer does."""
        self.store.apply(self.bus.since(self._kept))
        self._kept = self.bus.last

    def has_run(self, run_id: str, accuracies: tuple[float, ...] = (0.5, 0.9), **fields: Any) -> Run:
        """A run that is over, with a round for each accuracy, one client, a log record and verdicts."""
        known = {"state": RunState.COMPLETED, "started_at": 100.0, "finished_at": 160.0}
        run = a_run(run_id, **{**known, **fields})
        self.book.add(run)
        self.bus.publish(a_client("c", run=run_id, label_counts=(1, 2)))
        self.bus.publish(LogRecord(level="info", source="server", logger="t", message="x", run_id=run_id))
        for number, accuracy in enumerate(accuracies, 1):
            round_ = Round(
                round=number,
                complete=True,
                accuracy=accuracy,
                started_at=90.0 + 10 * number,
                duration_s=10.0,
                per_client={"c": ClientRound(accuracy=accuracy)},
            )
            self.bus.publish(RoundUpdate(run_id=run_id, round=round_))
            self.bus.publish(
                Judgement(
                    run_id=run_id,
                    round=number,
                    client_id="c",
                    key="k",
                    message_id=f"{run_id}-{number}",
                    kind="train",
                    verdict=Verdict.ACCEPTED,
                    time=1.0,
                    bytes=1000,
                    sequence=number,
                    arrays_digest="d",
                )
            )
        self.keep()
        return run


@pytest.fixture
def server(store_url: str) -> Iterator[Server]:
    with Store.open(store_url) as store:
        yield Server(store)


@pytest.fixture
def browser(server: Server) -> FlaskClient:
    return server.app.test_client()


def change(browser: FlaskClient, run_id: str, **fields: object) -> TestResponse:
    return browser.patch(f"/api/v1/runs/{run_id}", json=fields)


def test_name_tags_and_notes_are_kept_whatever_state_the_run_is_in(
    server: Server, browser: FlaskClient
) -> None:
    server.has_run("a")

    answer = change(browser, "a", name=" Best of all ", tags=["paper", "", "paper", " x "], notes="why: α")

    assert answer.status_code == 200
    run = server.store.run("a")
    assert run is not None
    assert (run.name, run.tags, run.notes) == ("Best of all", ("paper", "x"), "why: α")
    (entry,) = server.entries
    assert entry[0] is Kind.RUN_NOTED
    assert (entry[1]["run"], entry[1]["name"], entry[1]["tags"]) == ("a", "Best of all", ["paper", "x"])
    assert "why" not in str(entry[1]), "what people write at length can be taken back"


def test_a_field_that_is_left_out_stays_and_one_that_is_empty_goes(
    server: Server, browser: FlaskClient
) -> None:
    server.has_run("a")
    change(browser, "a", name="one", tags=["t"], notes="n")

    change(browser, "a", notes=None, name="")

    run = server.book.run("a")
    assert (run.name, run.tags, run.notes) == (None, ("t",), None)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": "x" * 81}, "name"),
        ({"tags": ["a,b"]}, "tags.0"),
        ({"tags": ["x" * 41]}, "tags.0"),
        ({"tags": [str(number) for number in range(21)]}, "tags"),
        ({"notes": "x" * 10_001}, "notes"),
        ({"tags": "no list"}, "tags"),
    ],
)
def test_what_does_not_fit_is_refused_by_field_and_changes_nothing(
    server: Server, browser: FlaskClient, fields: dict[str, object], named: str
) -> None:
    server.has_run("a")

    answer = change(browser, "a", **fields)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.get_json()["errors"]] == [named]
    assert (server.book.run("a").name, server.entries) == (None, [])


def test_a_deleted_run_leaves_nothing_but_the_numbers_of_its_replies(
    server: Server, browser: FlaskClient
) -> None:
    server.has_run("a")
    server.has_run("b")

    assert browser.delete("/api/v1/runs/a").status_code == 204

    store = server.store
    assert [run.id for run in store.runs()] == ["b"]
    assert (store.rounds("a"), store.label_counts("a"), store.events(10, run_id="a")) == ([], {}, [])
    assert store.logs(10, run_id="a") == []
    assert len(store.rounds("b")) == 2
    assert len(store.logs(10, run_id="b")) == 1
    assert store.sequences() == {"c": 2}, "a reply that comes again is still known"
    assert store.last_seq() == server.bus.last, "no number is given out twice after a restart"
    assert browser.get("/api/v1/runs/a").status_code == 404
    assert [(kind, fields["run"]) for kind, fields in server.entries] == [(Kind.RUN_DELETED, "a")]


def test_a_run_that_is_made_and_deleted_in_one_batch_was_never_there(server: Server) -> None:
    server.book.add(a_run("a", state=RunState.STOPPED))
    server.book.put_round("a", Round(round=1, complete=True, started_at=1.0))
    server.bus.publish(a_client("c", run="a", label_counts=(1,)))
    server.book.remove("a")
    server.keep()

    assert (server.store.runs(), server.store.rounds("a"), server.store.label_counts("a")) == ([], [], {})


def test_only_runs_that_have_ended_are_deleted_and_each_says_why_not(
    server: Server, browser: FlaskClient
) -> None:
    server.has_run("a")
    server.has_run("b", state=RunState.RUNNING, finished_at=None)
    server.has_run("c", state=RunState.INTERRUPTED, cause=Cause.CRASH)

    assert browser.delete("/api/v1/runs/b").status_code == 409
    answer = browser.delete("/api/v1/runs?ids=a,b,c,nothing,a").get_json()

    assert answer["deleted"] == ["a", "c"]
    assert [(kept["id"], kept["why"]) for kept in answer["kept"]] == [
        ("b", "it is running"),
        ("nothing", "There is no run 'nothing'."),
    ]
    assert browser.delete("/api/v1/runs").status_code == 422, "none is named"


def test_nothing_is_deleted_while_nothing_can_be_kept(server: Server, browser: FlaskClient) -> None:
    server.has_run("a")
    server.writer.problem = "the disk is full"

    answer = browser.delete("/api/v1/runs/a")

    assert answer.status_code == 503
    assert "the disk is full" in answer.get_json()["detail"]
    assert server.book.get("a") is not None


def test_runs_are_listed_page_by_page_with_what_came_in(server: Server, browser: FlaskClient) -> None:
    for number in range(5):
        server.has_run(f"run{number}", tags=("odd",) if number % 2 else ())

    everything = browser.get("/api/v1/runs").get_json()
    page = browser.get("/api/v1/runs?limit=2&offset=1&sort=id&order=asc").get_json()
    odd = browser.get("/api/v1/runs?tag=odd&sort=bytes").get_json()

    assert [run["id"] for run in everything["runs"]] == ["run4", "run3", "run2", "run1", "run0"]
    assert [run["id"] for run in page["runs"]] == ["run1", "run2"]
    assert (page["total"], page["received"]) == (5, {"run1": 2000, "run2": 2000})
    assert (odd["total"], odd["tags"], odd["states"]) == (2, ["odd"], {"completed": 5})
    assert browser.get("/api/v1/runs?sort=luck").status_code == 422


def test_runs_are_compared_by_what_came_of_them(server: Server, browser: FlaskClient) -> None:
    server.has_run("a", (0.5, 0.95, 0.9), spec=RunSpec(lr=0.1))
    server.has_run("b", (0.2, 0.4), spec=RunSpec(lr=0.2))

    answer = browser.get("/api/v1/runs/compare?ids=b,a,gone&baseline=a").get_json()

    assert [each["run"]["id"] for each in answer["runs"]] == ["b", "a"]
    assert (answer["baseline"], answer["missing"]) == ("a", ["gone"])
    assert answer["differing"] == [{"name": "lr", "values": [0.2, 0.1]}]
    worse, better = (each["outcome"] for each in answer["runs"])
    assert better["best"] == {"round": 2, "accuracy": 0.95}
    assert better["final"] == {"round": 3, "accuracy": 0.9}
    assert better["reached"] == {"round": 2, "seconds": 20.0}
    assert (worse["reached"], worse["reached_of_final"]) == (None, {"round": 2, "seconds": 20.0})
    assert (better["received"], better["duration_s"]) == (3000, 60.0)
    assert answer["runs"][1]["curves"]["rounds"] == [1, 2, 3]
    assert answer["runs"][1]["curves"]["values"]["accuracy"] == [0.5, 0.95, 0.9]


def test_a_comparison_says_what_it_cannot_do(server: Server, browser: FlaskClient) -> None:
    too_many = ",".join(map(str, range(21)))

    assert browser.get(f"/api/v1/runs/compare?ids={too_many}").status_code == 422
    assert browser.get("/api/v1/runs/compare?ids=gone").status_code == 404
    assert browser.get("/api/v1/runs/compare").status_code == 422


def test_a_comparison_comes_as_one_page(server: Server, browser: FlaskClient) -> None:
    server.has_run("a", name="<b>bold</b>")
    server.has_run("b")

    answer = browser.get("/api/v1/runs/compare/export?ids=a,b")

    assert answer.content_type == "text/html; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "&lt;b&gt;bold" in answer.text
    assert "<b>" not in answer.text
    assert [kind for kind, _ in server.entries] == [Kind.DOWNLOADED, Kind.DOWNLOADED]


def test_names_of_a_run_whose_record_cannot_be_read_are_not_invented(store_url: str, tmp_path: Path) -> None:
    with Store.open(store_url) as store:
        server = Server(store)
        server.has_run("a", created_at=time.time())
        server.book.annotate("a", RunNotes(name="n", tags=("t",)))
        server.keep()
    with Store.open(store_url) as store:
        (run,) = store.runs()
    assert (run.name, run.tags, run.notes) == ("n", ("t",), None)
