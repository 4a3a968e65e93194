"""A run with everything that an export may meet, and the export's files as another program reads them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from app.exporting.files import ExportFile
from app.records import ClientRound, GlobalScore, Round, Run, RunState
from tests.support.records import a_run

STARTED = 1_763_000_000.25
"""2025-11-13 02:13:20.250 UTC."""

REASON = 'Traceback:\n  "ünwanted", said\r\n=cmd()'


def a_finished_run() -> tuple[Run, list[Round]]:
    """A run that was stopped in its third round: two clients, one of which fails, comes late, and is lost."""
    run = a_run(
        state=RunState.STOPPED,
        reason="stopped by request",
        round=2,
        clients=("client-1", "client-2"),
        created_at=STARTED - 10,
        started_at=STARTED - 5,
        finished_at=STARTED + 9,
        classes=("cat", "dog, big"),
        final=GlobalScore(loss=0.25, accuracy=0.75),
    )
    initial = Round(round=0, complete=True, loss=2.5, accuracy=0.5, started_at=STARTED, duration_s=0.5)
    first = Round(
        round=1,
        complete=True,
        train_loss=1.5,
        loss=1.25,
        accuracy=0.625,
        client_loss=1.75,
        client_accuracy=0.6,
        class_accuracy=(0.5, None),
        confusion=((1, 1), (0, 0)),
        clients=1,
        started_at=STARTED + 1,
        duration_s=2.0,
        per_client={
            "client-2": ClientRound(error=REASON, late=True),
            "client-1": ClientRound(
                train_loss=1.5, loss=1.75, accuracy=0.6, samples=10, train_s=0.75, evaluate_s=0.125
            ),
        },
    )
    second = Round(
        round=2,
        complete=True,
        loss=0.25,
        accuracy=0.75,
        class_accuracy=(1.0, 0.5),
        confusion=((2, 0), (1, 1)),
        clients=2,
        started_at=STARTED + 3,
        duration_s=4.0,
        per_client={
            "client-1": ClientRound(metrics={"f1": 0.5, "=rmse": 1e-3}),
            "client-2": ClientRound(metrics={"auc": 1.0}, error="=1+1"),
        },
    )
    third = Round(round=3, started_at=STARTED + 8, per_client={"client-1": ClientRound(train_loss=0.5)})
    return run, [initial, first, second, third]


def a_run_of_an_app() -> tuple[Run, list[Round]]:
    """A run of another Flower app, of one round, in which every stage has a metric of the same name."""
    stages = {"train": {"auc": 0.25}, "evaluate": {"auc": 0.75}}
    round_ = Round(
        round=1,
        label="0",
        complete=True,
        started_at=STARTED,
        duration_s=1.0,
        metrics={**stages, "server": {"auc": 0.875}},
        per_client={"client-1": ClientRound(metrics={"auc": 0.75}, stages=stages)},
    )
    return a_run(created_at=STARTED - 10, state=RunState.COMPLETED), [round_]


def contents(files: Iterable[ExportFile]) -> dict[str, bytes]:
    """All files, by path."""
    return {file.path: b"".join(file.content) for file in files}


def unzipped(archive: bytes) -> dict[str, bytes]:
    """All files in an archive that is sound, by path."""
    with zipfile.ZipFile(BytesIO(archive)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def scalars(folder: Path) -> dict[str, list[tuple[int, float, float]]]:
    """What TensorBoard finds in a folder: by tag, the (step, wall time, value) of each point."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        tag: [(event.step, event.wall_time, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }
