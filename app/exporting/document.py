"""A run as one JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from app.exporting.files import ExportFile
from app.records import Record, Round, Run
from shared.version import __version__

VERSION: Literal[1] = 1
"""Of the document; a change that would surprise its readers makes a new one."""


class RunDocument(Record):
    """All that is known of a run. Times are Unix seconds (UTC), durations seconds, accuracies 0 to 1."""

    format: Literal["fedloom-run"]
    version: Literal[1]
    fedloom: str
    run: Run
    rounds: tuple[Round, ...]


def document(run: Run, rounds: Iterable[Round]) -> Iterator[ExportFile]:
    """`run.json`, a `RunDocument` with one line for each round."""
    yield ExportFile("run.json", _pieces(run, rounds))


def _pieces(run: Run, rounds: Iterable[Round]) -> Iterator[bytes]:
    head = f'"format":"fedloom-run","version":{VERSION},"fedloom":"{__version__}"'
    yield f'{{{head},\n"run":{run.model_dump_json()},\n"rounds":['.encode()
    for number, round_ in enumerate(rounds):
        # In memory the clients are in the order in which they answered, in the store by name.
        ordered = round_.model_copy(update={"per_client": dict(sorted(round_.per_client.items()))})
        yield f"{',' if number else ''}\n{ordered.model_dump_json()}".encode()
    yield b"\n]}\n"
