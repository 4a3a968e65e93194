"""The demo's report has the shape that scripts rely on, and is never half written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.demo.report import make_report, write_report

RUN: dict[str, Any] = {
    "id": "7f3a9c01",
    "state": "completed",
    "spec": {"app": None, "dataset": "digits", "lr": 0.05},
    "privacy": None,
    "final": {"loss": 0.1, "accuracy": 0.97},
}
ROUND: dict[str, Any] = {
    "round": 1,
    "complete": True,
    "train_loss": 0.5,
    "loss": 0.1,
    "accuracy": 0.97,
    "clients": 3,
    "duration_s": 0.4,
    "epsilon": None,
    "per_client": {"client-1": {}},
}


def test_the_report_has_what_was_promised_and_no_more() -> None:
    assert make_report(RUN, [ROUND], clients=3, wall_s=12.34567) == {
        "run_id": "7f3a9c01",
        "status": "completed",
        "dataset": "digits",
        "clients": 3,
        "wall_s": 12.346,
        "rounds": [
            {"round": 1, "train_loss": 0.5, "loss": 0.1, "accuracy": 0.97, "clients": 3, "duration_s": 0.4}
        ],
        "final": {"loss": 0.1, "accuracy": 0.97},
    }


def test_the_report_of_another_apps_run_has_its_own_numbers() -> None:
    run = {**RUN, "spec": {"app": "made-up", "dataset": "digits"}}
    own = {
        "label": "0",
        "client_loss": 0.2,
        "client_accuracy": None,
        "metrics": {"train": {"auc": 0.7}},
    }

    report = make_report(run, [{**ROUND, **own}], clients=2, wall_s=1)

    assert report["app"] == "made-up"
    assert "dataset" not in report, "of which FedLoom knows nothing"
    assert own.items() <= report["rounds"][0].items()


def test_the_report_of_a_private_run_says_what_was_spent() -> None:
    privacy = {"protects": "client", "epsilon": 4.9, "delta": 1e-5, "releases": 1}

    report = make_report({**RUN, "privacy": privacy}, [{**ROUND, "epsilon": 4.9}], clients=3, wall_s=1)

    assert report["privacy"] == privacy
    assert report["rounds"][0]["epsilon"] == 4.9


def test_a_run_that_got_nowhere_has_no_values() -> None:
    report = make_report({**RUN, "state": "failed", "final": None}, [], clients=3, wall_s=1)

    assert report["final"] == {"loss": None, "accuracy": None}
    assert report["rounds"] == []


def test_a_report_replaces_an_older_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "new folder" / "report.json"
    for status in ("failed", "completed"):
        write_report({"status": status}, target)

    assert json.loads(target.read_text(encoding="utf-8")) == {"status": "completed"}
    assert list(target.parent.iterdir()) == [target]


def test_a_run_that_has_outlasted_its_server_tells_of_it() -> None:
    merge = {"round": 1, "since": 0, "mesh_rounds": 4, "clients": ["a", "b"], "contributions": [5, 6]}

    report = make_report({**RUN, "mesh": {"merges": [merge]}}, [ROUND], clients=2, wall_s=1, killed_in=1)

    assert report["mesh"] == {
        "killed_in": 1,
        "merges": [{"round": 1, "since": 0, "mesh_rounds": 4, "clients": 2, "accuracy": 0.97}],
    }
