"""The demo's report: what a run achieved, as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shared.result_file import write_whole

ROUND_FIELDS = ("round", "train_loss", "loss", "accuracy", "clients", "duration_s")
APP_ROUND_FIELDS = ("label", "client_loss", "client_accuracy", "metrics")
"""Of a run of another Flower app, besides: what its replies and its server have, in its own names."""

PRIVATE_ROUND_FIELDS = ("epsilon",)
"""Of a run with differential privacy, besides."""


def make_report(
    run: dict[str, Any],
    rounds: list[dict[str, Any]],
    clients: int,
    wall_s: float,
    killed_in: int | None = None,
) -> dict[str, Any]:
    """The report of a run, from the REST API's answers; `wall_s` counts from the start of the command.

    `killed_in`: the round in which the server was killed.
    """
    app = run["spec"]["app"]
    privacy = run["privacy"]
    fields = (
        *ROUND_FIELDS,
        *(() if app is None else APP_ROUND_FIELDS),
        *(() if privacy is None else PRIVATE_ROUND_FIELDS),
    )
    return {
        "run_id": run["id"],
        "status": run["state"],
        **({"dataset": run["spec"]["dataset"]} if app is None else {"app": app}),
        "clients": clients,
        "wall_s": round(wall_s, 3),
        "rounds": [{field: round_[field] for field in fields} for round_ in rounds],
        "final": run["final"] or {"loss": None, "accuracy": None},
        **({} if privacy is None else {"privacy": privacy}),
        **({} if killed_in is None else {"mesh": _mesh(run, rounds, killed_in)}),
    }


def _mesh(run: dict[str, Any], rounds: list[dict[str, Any]], killed_in: int) -> dict[str, Any]:
    """What the clients have come to without the server."""
    accuracy = {round_["round"]: round_["accuracy"] for round_ in rounds}
    return {
        "killed_in": killed_in,
        "merges": [
            {
                "round": merge["round"],
                "since": merge["since"],
                "mesh_rounds": merge["mesh_rounds"],
                "clients": len(merge["clients"]),
                "accuracy": accuracy.get(merge["round"]),
            }
            for merge in run["mesh"]["merges"]
        ],
    }


def write_report(report: dict[str, Any], path: Path) -> None:
    """Write the report so that a reader never sees half of it."""
    write_whole(path, json.dumps(report, indent=2) + "\n")
