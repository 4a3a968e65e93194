"""Runs as TensorBoard event files, round by round: `DIR/RUN/{global,clients-mean,client/ID}`.

The files are those of the export (`app/exporting/event_files.py`), which are complete at each moment. A
server that goes on with a run goes on with its files. Of the files of a round, that of the global model is
written last: what it has, the others have as well.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from tensorboard.compat.proto.event_pb2 import Event

from app.exporting import event_files
from app.exporting.settings import settings_of
from app.exporting.times import last_known
from app.records import Round, Run
from app.trackers.tracker import TrackerFailed

_LENGTH = struct.Struct("<QI")
"""What stands before a record: its length, and the check of that."""

_CHECK = 4
"""Bytes that follow a record."""

_STRING = 7
"""TensorFlow's DT_STRING."""


class TensorBoard:
    """As Tracker has it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._newest: dict[Path, int] = {}
        """The newest round in each file that has been looked at."""

    def rounds_there(self, run: Run) -> int:
        """By the file of the global model."""
        try:
            return self._newest_in(self._file(run, event_files.GLOBAL), run)
        except OSError as error:
            raise self._failure(error) from error

    def write(self, run: Run, rounds: Sequence[Round]) -> None:
        """Each file is closed again: a run may have a thousand clients."""
        try:
            for round_ in rounds:
                for folder, point in event_files.points_of(run, round_).items():
                    path = self._file(run, folder)
                    if self._newest_in(path, run) < point.step:
                        _append(path, event_files.record_of(point))
                        self._newest[path] = point.step
        except OSError as error:
            raise self._failure(error) from error

    def end(self, run: Run) -> None:
        """Say how it ended, as text."""
        words = f"{run.state}: {run.reason}" if run.reason else run.state.value
        at = last_known(run, ())
        try:
            path = self._file(run, event_files.GLOBAL)
            self._newest_in(path, run)
            _append(path, event_files.framed(_text(at, run.round, "outcome", words)))
        except OSError as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """All files are closed already."""

    def _file(self, run: Run, folder: str) -> Path:
        return self._folder / run.id / folder / event_files.file_name(run)

    def _newest_in(self, path: Path, run: Run) -> int:
        """The newest round in a file, which is made if it is not there, and mended if it was cut."""
        if path not in self._newest:
            self._newest[path] = _mended(path) if path.exists() else -1
            if not path.exists() or not path.stat().st_size:
                path.parent.mkdir(parents=True, exist_ok=True)
                beginning = event_files.beginning_of(run)
                if path.parent.name == event_files.GLOBAL:
                    beginning += event_files.framed(_text(run.created_at, 0, "settings", _settings(run)))
                _append(path, beginning)
        return self._newest[path]

    def _failure(self, error: OSError) -> TrackerFailed:
        # What a failed write has left in a file is not known
        self._newest.clear()
        return TrackerFailed(f"{error.strerror or error} ({error.filename or self._folder})")


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _mended(path: Path) -> int:
    """The newest round in a file, whose end is cut off if it is not a whole record. Raises OSError."""
    newest = -1
    with path.open("r+b") as file:
        whole = 0
        while (record := _record(file)) is not None:
            whole = file.tell()
            event = Event.FromString(record)
            if any(value.HasField("simple_value") for value in event.summary.value):
                newest = max(newest, event.step)
        file.truncate(whole)
    return newest


def _record(file: BinaryIO) -> bytes | None:
    """The next record; None: there is no whole one."""
    head = file.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    length, _ = _LENGTH.unpack(head)
    body = file.read(length + _CHECK)
    return body[:length] if len(body) == length + _CHECK else None


def _text(at: float, step: int, tag: str, words: str) -> Event:
    """Text as TensorBoard's plugin for it shows it, in Markdown."""
    event = Event(wall_time=at, step=step)
    value = event.summary.value.add(tag=f"{tag}/text_summary")
    value.metadata.plugin_data.plugin_name = "text"
    value.tensor.dtype = _STRING
    value.tensor.string_val.append(words.encode())
    value.tensor.tensor_shape.dim.add(size=1)
    return event


def _settings(run: Run) -> str:
    rows = [f"| {each.name} | {each.values[0]} |" for each in settings_of([run])]
    return "\n".join(["| setting | value |", "|---|---|", *rows])
