"""A run as TensorBoard event files: scalars by round, each with the time at which its round ended.

TensorBoard draws one curve for each folder, and those of the same tag in one chart: the global model, the
mean of the clients and every client have a folder each and share the tags `accuracy`, `loss` and
`train_loss`. The numbers of another Flower app have tags by stage and name: `metrics/evaluate/auc`, of the
clients and their mean, and `metrics/server/auc`, of the global model. A round that is not complete is left
out.

The records are written one by one with TensorBoard's `RecordWriter`. Its `Writer` would start a thread for
each file, put this machine's name into the file's name, and on a full disk lose what is written last without
a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.summary.writer.record_writer import RecordWriter

from app.exporting.files import ExportFile
from app.exporting.times import ended_at
from app.records import ClientRound, Round, Run

SERVER = "server"
"""The stage of what the ServerApp computed of the global model."""

GLOBAL = "global"
CLIENTS_MEAN = "clients-mean"
"""The folders of the global model and of the mean of the clients, in the run's own."""

FILE_VERSION = "brain.Event:2"
"""What an event file begins with, by which TensorBoard knows the format."""


@dataclass(frozen=True)
class Point:
    """The scalars of one round, by tag. `wall_time`: Unix seconds."""

    step: int
    wall_time: float
    scalars: Mapping[str, float | int | None]


def event_files(run: Run, rounds: Sequence[Round]) -> Iterator[ExportFile]:
    """`global`, `clients-mean` and `client/<id>` in the folder `tensorboard`, each with one event file."""
    done = [round_ for round_ in rounds if ended_at(round_) is not None]
    clients = sorted({client_id for round_ in done for client_id in round_.per_client})
    for folder in (GLOBAL, CLIENTS_MEAN, *map(folder_of, clients)):
        points = (point for round_ in done if (point := point_of(run, round_, folder)) is not None)
        yield ExportFile(f"tensorboard/{folder}/{file_name(run)}", _event_file(run, points))


def file_name(run: Run) -> str:
    """The name of a run's event files, by which TensorBoard knows them."""
    return f"events.out.tfevents.{int(run.created_at):010d}.fedloom"


def folder_of(client_id: str) -> str:
    """Where a client's file is, in the run's folder."""
    return f"client/{client_id}"


def points_of(run: Run, round_: Round) -> dict[str, Point]:
    """What a complete round has for each folder; nothing, if it is not complete."""
    folders = (*map(folder_of, sorted(round_.per_client)), CLIENTS_MEAN, GLOBAL)
    return {folder: point for folder in folders if (point := point_of(run, round_, folder)) is not None}


def point_of(run: Run, round_: Round, folder: str) -> Point | None:
    """What a round has for one folder; None: nothing, or it is not complete."""
    if (end := ended_at(round_)) is None:
        return None
    if folder == GLOBAL:
        return Point(round_.round, end, _global_scalars(run, round_))
    if folder == CLIENTS_MEAN:
        return Point(round_.round, end, _mean_scalars(round_))
    mine = round_.per_client.get(folder.removeprefix("client/"))
    return None if mine is None else Point(round_.round, end, _client_scalars(mine))


def _global_scalars(run: Run, round_: Round) -> dict[str, float | int | None]:
    return {
        "accuracy": round_.accuracy,
        "loss": round_.loss,
        "privacy/epsilon": round_.epsilon,
        "round/clients": round_.clients,
        "round/duration_s": round_.duration_s,
        **{
            f"class_accuracy/{run.classes[label] if label < len(run.classes) else label}": accuracy
            for label, accuracy in enumerate(round_.class_accuracy or ())
        },
        **_staged({stage: numbers for stage, numbers in round_.metrics.items() if stage == SERVER}),
    }


def _mean_scalars(round_: Round) -> dict[str, float | int | None]:
    return {
        "accuracy": round_.client_accuracy,
        "loss": round_.client_loss,
        "train_loss": round_.train_loss,
        **_staged({stage: numbers for stage, numbers in round_.metrics.items() if stage != SERVER}),
    }


def _client_scalars(mine: ClientRound) -> dict[str, float | int | None]:
    return {
        "accuracy": mine.accuracy,
        "loss": mine.loss,
        "train_loss": mine.train_loss,
        "privacy/epsilon": mine.epsilon,
        "client/samples": mine.samples,
        "client/train_s": mine.train_s,
        "client/evaluate_s": mine.evaluate_s,
        **(_staged(mine.stages) or {f"metrics/{name}": value for name, value in mine.metrics.items()}),
    }


def _staged(stages: Mapping[str, Mapping[str, float]]) -> dict[str, float | int | None]:
    return {
        f"metrics/{stage}/{name}": value
        for stage, numbers in stages.items()
        for name, value in numbers.items()
    }


def _event_file(run: Run, points: Iterable[Point]) -> Iterator[bytes]:
    yield beginning_of(run)
    for point in points:
        yield record_of(point)


def beginning_of(run: Run) -> bytes:
    """The first record of each of a run's event files."""
    return framed(Event(wall_time=run.created_at, file_version=FILE_VERSION))


def record_of(point: Point) -> bytes:
    """A round's scalars, as a record."""
    event = Event(wall_time=point.wall_time, step=point.step)
    for tag, value in point.scalars.items():
        if value is not None:
            event.summary.value.add(tag=tag, simple_value=value)
    return framed(event)


def framed(event: Event) -> bytes:
    """An event with its length and checks, as it stands in a file."""
    record = BytesIO()
    RecordWriter(record).write(event.SerializeToString())
    return record.getvalue()
