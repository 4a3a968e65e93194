"""What runs of another app need and show, whatever their grid and their clients are."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.federation.runs.app_hosts import AppHosts
from app.federation.runs.foreign import PATIENCE, ForeignKind
from app.records import WaitingFor, WaitKind
from shared.flower_app import FlowerApp, read_app
from shared.run_spec import RunSpec
from tests.support.apps import write_app
from tests.support.records import a_run


@pytest.fixture
def app(tmp_path: Path) -> FlowerApp:
    return read_app(write_app(tmp_path, "made_up", config="num-server-rounds = 3\nlr = 0.5"))


def a_kind(app: FlowerApp, **spec: Any) -> ForeignKind:
    return ForeignKind(a_run(spec=RunSpec(app="made-up", **spec)), app, AppHosts(app, app.folder.parent))


class Parts:
    """The parts of a run, as far as an app that looks for clients has to do with them."""

    def __init__(self, *, enough: bool = True, busy: bool = False) -> None:
        self.shown = self
        self.grid = SimpleNamespace(is_busy=busy)
        self.membership = SimpleNamespace(are_enough=lambda: enough, size=2)
        self.waited = 0
        self.said: list[WaitingFor] = []

    def is_held_up(self, waiting_for: WaitingFor) -> None:
        self.said.append(waiting_for)

    def wait_for_clients(self, wait_until: Any) -> None:
        self.waited += 1


def look(kind: ForeignKind, parts: Any) -> None:
    kind.looks_for_clients(parts)


def test_the_runs_values_go_before_the_apps(app: FlowerApp) -> None:
    kind = a_kind(app, num_rounds=7, run_config={"lr": 0.1})

    assert kind.run_config == {"num-server-rounds": 7, "lr": 0.1}


def test_a_round_of_training_needs_replies_and_nothing_else_does(app: FlowerApp) -> None:
    kind = a_kind(app, min_clients=4, min_replies=3)

    assert kind.required("train", asked=4, declined=0, members=4) == 3
    assert kind.required("evaluate", asked=4, declined=0, members=4) == 0
    assert kind.required("query", asked=4, declined=0, members=4) == 0
    assert not kind.can_start_over("train")


def test_a_client_that_is_asked_alone_need_not_answer_unless_it_is_the_only_one(app: FlowerApp) -> None:
    kind = a_kind(app, min_clients=1)

    assert kind.required("train", asked=1, declined=0, members=3) == 0
    assert kind.required("train", asked=1, declined=0, members=1) == 1
    assert (kind.cohort(asked=1, members=3), kind.cohort(asked=1, members=1)) == (0, 1)


def test_who_declines_counts_as_one_who_was_not_asked(app: FlowerApp) -> None:
    kind = a_kind(app, min_clients=4, min_reply_share=1.0)

    assert kind.required("train", asked=4, declined=1, members=4) == 3
    assert kind.required("train", asked=2, declined=1, members=2) == 1
    assert kind.required("train", asked=2, declined=2, members=2) == 0


def test_an_app_finds_the_clients_that_the_run_needs(app: FlowerApp) -> None:
    kind, few, busy = a_kind(app), Parts(enough=False), Parts(enough=False, busy=True)

    look(kind, few)
    look(kind, busy)

    assert (few.waited, busy.waited) == (1, 0)


def test_an_app_that_only_asks_who_is_there_is_said_to_compute_until_it_sends(app: FlowerApp) -> None:
    kind, parts = a_kind(app), Parts()

    for _ in range(PATIENCE):
        look(kind, parts)
    assert parts.said == []
    look(kind, parts)
    assert parts.said == [WaitingFor(kind=WaitKind.APP, have=2)]

    kind.sends()
    look(kind, parts)
    assert len(parts.said) == 1
