"""Trackers are kept at what the run book has: TensorBoard's files as it reads them itself, MLflow over its
REST API, and both get over what fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.event_bus import EventBus
from app.records import Round, RoundUpdate, Run, RunState
from app.trackers.mlflow import Mlflow
from app.trackers.tensorboard import TensorBoard
from app.trackers.tracker import Tracker, TrackerFailed, TrackerSettings
from app.trackers.tracking import Tracking
from shared.errors import SettingsInvalid
from tests.support.exports import a_finished_run, scalars
from tests.support.mlflow_server import MlflowServer, mlflow_server
from tests.support.records import a_run
from tests.support.waiting import wait_until

RUN, ROUNDS = a_finished_run()
DONE = ROUNDS[:3]
TENSORBOARD = TrackerSettings("tensorboard", "somewhere")


@pytest.fixture
def mlflow() -> Iterator[MlflowServer]:
    with mlflow_server() as server:
        yield server


# TensorBoard


def test_tensorboard_reads_each_round_once_it_is_written(tmp_path: Path) -> None:
    tracker = TensorBoard(tmp_path)
    assert tracker.rounds_there(RUN) == -1

    tracker.write(RUN, DONE[:2])

    accuracy = [(step, value) for step, _, value in scalars(tmp_path / RUN.id / "global")["accuracy"]]
    assert accuracy == [(0, 0.5), (1, 0.625)]
    tracker.write(RUN, DONE[2:])
    assert len(scalars(tmp_path / RUN.id / "global")["accuracy"]) == 3
    assert scalars(tmp_path / RUN.id / "client" / "client-1")["train_loss"][0][::2] == (1, 1.5)


def test_tensorboard_shows_the_settings_and_the_end_as_text(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tracker = TensorBoard(tmp_path)
    tracker.write(RUN, DONE)
    tracker.end(RUN)

    events = EventAccumulator(str(tmp_path / RUN.id / "global"))
    events.Reload()
    words = {
        tag: events.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in events.Tags()["tensors"]
    }
    assert "| lr | 0.05 |" in words["settings/text_summary"]
    assert words["outcome/text_summary"] == "stopped: stopped by request"


@pytest.mark.parametrize("lost", [0, 1, 5, 30])
def test_after_a_restart_the_files_go_on_where_they_were_cut(tmp_path: Path, lost: int) -> None:
    TensorBoard(tmp_path).write(RUN, DONE[:2])
    [file] = (tmp_path / RUN.id / "global").iterdir()
    content = file.read_bytes()
    file.write_bytes(content[: len(content) - lost])

    again = TensorBoard(tmp_path)
    newest = again.rounds_there(RUN)
    again.write(RUN, [round_ for round_ in DONE if round_.round > newest])

    assert newest == (1 if lost == 0 else 0)
    for folder in ("global", "clients-mean"):
        found = scalars(tmp_path / RUN.id / folder)
        assert all(
            [point[0] for point in points] == sorted({p[0] for p in points}) for points in found.values()
        )
    assert [step for step, _, _ in scalars(tmp_path / RUN.id / "global")["accuracy"]] == [0, 1, 2]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(TrackerFailed, match=r"Not a directory \(.*file"):
        TensorBoard(tmp_path / "file").write(RUN, DONE)


# MLflow


def test_mlflow_has_rounds_settings_and_the_end(mlflow: MlflowServer) -> None:
    tracker = Mlflow(mlflow.url, {})
    assert tracker.rounds_there(RUN) == -1

    tracker.write(RUN, DONE)
    tracker.end(RUN)

    [kept] = mlflow.runs.values()
    assert mlflow.experiments == {"FedLoom": "1"}
    assert [(m["step"], m["value"]) for m in kept.metrics["accuracy"]] == [(0, 0.5), (1, 0.625), (2, 0.75)]
    assert kept.metrics["client/client-1/train_loss"][0]["value"] == 1.5
    assert kept.params["lr"] == "0.05"
    assert kept.tags["fedloom.run"] == RUN.id
    assert (kept.status, kept.tags["fedloom.reason"]) == ("KILLED", "stopped by request")
    assert kept.end_time == int((RUN.finished_at or 0) * 1000)


def test_a_run_in_mlflow_is_gone_on_with(mlflow: MlflowServer) -> None:
    Mlflow(mlflow.url, {}).write(RUN, DONE[:2])

    again = Mlflow(mlflow.url, {})

    assert again.rounds_there(RUN) == 1
    again.write(RUN, DONE[2:])
    [kept] = mlflow.runs.values()
    assert len(kept.metrics["accuracy"]) == 3


def test_what_is_too_much_for_one_request_is_sent_in_several(mlflow: MlflowServer) -> None:
    part = DONE[1].per_client["client-1"]
    large = DONE[1].changed(per_client={f"client-{number}": part for number in range(400)})

    Mlflow(mlflow.url, {}).write(RUN, [large])

    [kept] = mlflow.runs.values()
    assert len([name for name in kept.metrics if name.endswith("/accuracy")]) == 401


@pytest.mark.parametrize(
    ("environ", "sent"),
    [
        ({"MLFLOW_TRACKING_TOKEN": "abc"}, "Bearer abc"),
        ({"MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_PASSWORD": "p"}, "Basic dTpw"),
        ({}, None),
    ],
)
def test_mlflow_is_told_who_asks(mlflow: MlflowServer, environ: dict[str, str], sent: str | None) -> None:
    Mlflow(mlflow.url, environ).rounds_there(RUN)

    assert set(mlflow.authorizations) == {sent}


def test_an_mlflow_that_refuses_is_told_in_its_own_words(mlflow: MlflowServer) -> None:
    mlflow.refusal = 403, {"error_code": "PERMISSION_DENIED", "message": "Permission denied"}

    with pytest.raises(TrackerFailed, match="experiments/get-by-name answered 403: Permission denied"):
        Mlflow(mlflow.url, {}).rounds_there(RUN)


def test_an_mlflow_that_is_gone_is_a_failure() -> None:
    with mlflow_server() as gone:
        url = gone.url

    with pytest.raises(TrackerFailed, match="ConnectError"):
        Mlflow(url, {}).rounds_there(RUN)


# how they are kept up


class Noting:
    """A tracker that notes what it is told. `problem`: why it fails."""

    def __init__(self) -> None:
        self.rounds: dict[str, list[int]] = {}
        self.ends: list[tuple[str, RunState]] = []
        self.problem: str | None = None

    def rounds_there(self, run: Run) -> int:
        self._work()
        return max(self.rounds.get(run.id, [-1]))

    def write(self, run: Run, rounds: Any) -> None:
        self._work()
        self.rounds.setdefault(run.id, []).extend(round_.round for round_ in rounds)

    def end(self, run: Run) -> None:
        self._work()
        self.ends.append((run.id, run.state))

    def close(self) -> None:
        pass

    def _work(self) -> None:
        if self.problem is not None:
            raise TrackerFailed(self.problem)


class Book:
    """Runs and rounds, which tell the bus of what changes."""

    def __init__(self, *runs: Run) -> None:
        self.bus = EventBus()
        self._runs = {run.id: run for run in runs}
        self._rounds: dict[str, list[Round]] = {}

    def get(self, run_id: str) -> Run | None:
        return self._runs.get(run_id)

    def newest_first(self) -> list[Run]:
        return list(self._runs.values())[::-1]

    def rounds(self, run_id: str) -> list[Round]:
        return list(self._rounds.get(run_id, []))

    def put(self, run: Run) -> None:
        self._runs[run.id] = run
        self.bus.publish(run)

    def add(self, run_id: str, *rounds: Round) -> None:
        for round_ in rounds:
            self._rounds.setdefault(run_id, []).append(round_)
            self.bus.publish(RoundUpdate(run_id=run_id, round=round_))


Follow = Callable[[Book, Tracker], Tracking]


@pytest.fixture
def follow() -> Iterator[Follow]:
    started: list[Tracking] = []

    def follow(book: Book, tracker: Tracker) -> Tracking:
        tracking = Tracking(TENSORBOARD, book.bus, book, make=lambda settings: tracker)
        started.append(tracking)
        tracking.start()
        return tracking

    yield follow
    for tracking in started:
        tracking.stop()


def test_complete_rounds_and_the_end_are_written_as_they_happen(follow: Follow) -> None:
    book, tracker = Book(), Noting()
    follow(book, tracker)

    book.put(a_run("a", state=RunState.RUNNING))
    book.add("a", *ROUNDS)
    wait_until(lambda: tracker.rounds.get("a") == [0, 1, 2], "the complete rounds are there")
    book.put(a_run("a", state=RunState.COMPLETED))

    wait_until(lambda: tracker.ends == [("a", RunState.COMPLETED)], "the end is there")


def test_runs_that_ended_before_are_left_alone(follow: Follow) -> None:
    ended = a_run("old", state=RunState.COMPLETED, started_at=1.0)
    book, tracker = Book(ended), Noting()
    follow(book, tracker)

    book.put(ended.changed(name="a name"))
    book.put(a_run("new", state=RunState.RUNNING))
    book.put(a_run("new", state=RunState.FAILED))

    wait_until(lambda: tracker.ends, "the new run's end is there")
    assert tracker.ends == [("new", RunState.FAILED)]


def test_a_tracker_that_fails_gets_what_it_lacks_when_it_works_again(
    follow: Follow, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    book, tracker = Book(), Noting()
    tracker.problem = "No space left on device"
    tracking = follow(book, tracker)
    book.put(a_run("a", state=RunState.RUNNING))
    book.add("a", *DONE)
    wait_until(lambda: tracking.status().problem == tracker.problem, "the failure is seen")
    assert tracking.status().behind == 1

    tracker.problem = None

    wait_until(lambda: tracker.rounds.get("a") == [0, 1, 2], "all rounds are there")
    wait_until(lambda: tracking.status().problem is None, "all is well")
    said = [record.getMessage() for record in caplog.records if record.name == "app.trackers.tracking"]
    assert [line.partition(": ")[0] for line in said] == [
        "the tracker tensorboard:somewhere cannot be written",
        "the tracker tensorboard:somewhere works again",
    ]


def test_what_was_published_before_the_end_is_written(follow: Follow) -> None:
    book, tracker = Book(), Noting()
    tracking = follow(book, tracker)

    book.put(a_run("a", state=RunState.RUNNING))
    book.add("a", *DONE)
    book.put(a_run("a", state=RunState.INTERRUPTED))
    tracking.stop()

    assert (tracker.rounds["a"], tracker.ends) == ([0, 1, 2], [("a", RunState.INTERRUPTED)])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("wandb:x", "neither"),
        ("tensorboard:", "neither"),
        ("tensorboard", "neither"),
        ("mlflow:./mlruns", "over its REST API"),
        ("mlflow:http://u:p@host", "MLFLOW_TRACKING_USERNAME"),
    ],
)
def test_a_tracker_that_is_none_is_refused(text: str, words: str) -> None:
    with pytest.raises(SettingsInvalid, match=words):
        TrackerSettings.parse(text)
