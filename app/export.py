"""`python -m app.export RUN_ID`: write a run's results to files, also while a server works on it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from app.exporting.files import ExportFile
from app.exporting.formats import ExportFormat, export_files
from app.records import Cause, Round, Run
from app.store.reader import StoreReader
from app.store.urls import default_url
from shared import paths
from shared.command import ends_in_words, run
from shared.errors import FedLoomError, UnknownName
from shared.result_file import try_to_write

ALL = "all"
NEWEST = 10
"""So many runs are listed when one is asked for that there is not."""


class ExportIncomplete(FedLoomError):
    """Something cannot be written. The message says where, and what to do."""


@ends_in_words
def main(argv: Sequence[str] | None = None) -> int:
    """Export, print the paths of what was written, return the exit code: 0, or 1 with a message."""
    arguments = build_parser().parse_args(argv)
    try:
        for path in export(arguments.run_id, _chosen(arguments.format), arguments.output, arguments.store):
            print(path)
    except OSError as error:
        raise ExportIncomplete(
            f"The export is not complete: writing in {arguments.output.absolute()} failed "
            f"({error.strerror or error}). Mend that, or choose another folder with --output."
        ) from error
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        prog="python -m app.export",
        description="Write a run's results to files: run.json; rounds.csv and clients.csv; or a folder "
        "tensorboard for `tensorboard --logdir`. The server may be running meanwhile.",
    )
    parser.add_argument("run_id", metavar="RUN_ID", help="the run's id, as the page and the log show it")
    parser.add_argument(
        "--format",
        action="append",
        choices=[*ExportFormat, ALL],
        help="may be given several times (all)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="where to make a folder named after the run (the current folder)",
    )
    parser.add_argument(
        "--store",
        default=os.environ.get("FEDLOOM_STORE") or default_url(paths.home_dir()),
        metavar="URL",
        help="the server's store (FEDLOOM_STORE, a file in FEDLOOM_HOME)",
    )
    return parser


def export(run_id: str, formats: Iterable[ExportFormat], output: Path, store_url: str) -> Iterator[Path]:
    """Write a run's files below `output` / `run_id`, and yield the path of each once it is there.

    A file that is there already is replaced when the new one is complete. Raises UnknownName when there is
    no such run, StoreUnavailable when the store cannot be read, and OSError when a file cannot be written.
    """
    try_to_write(output / "run.json")
    with StoreReader.open_to_read(store_url) as store:
        run = store.run(run_id)
        if run is None:
            raise UnknownName(f"There is no run {run_id!r}. {_newest(store.runs())}")
        rounds = store.rounds(run_id)
    _warn_of_gaps(run, rounds)
    for export_format in formats:
        for file in export_files(export_format, run, rounds):
            path = output / run_id / file.path
            _write(path, file)
            yield path


def _warn_of_gaps(run: Run, rounds: Iterable[Round]) -> None:
    """Say on standard error what is missing in the export because it cannot be read in the store."""
    if run.cause is Cause.RECORD:
        print(f"warning: run {run.id}: {run.reason}", file=sys.stderr)
    for round_ in rounds:
        if round_.unreadable is not None:
            print(f"warning: round {round_.round}: {round_.unreadable}", file=sys.stderr)


def _chosen(names: Sequence[str] | None) -> list[ExportFormat]:
    """Each format that was asked for once, in the order of `ExportFormat`."""
    wanted = set(names or [ALL])
    return [known for known in ExportFormat if known in wanted or ALL in wanted]


def _write(path: Path, file: ExportFile) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".export-{os.getpid()}")
    try:
        with partial.open("wb") as target:
            target.writelines(file.content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _newest(runs: Sequence[Run]) -> str:
    """The newest runs, one a line."""
    if not runs:
        return "The store has no run yet."
    lines = [
        f"  {run.id}  {_local_time(run.created_at)}  {run.state}, "
        f"{run.spec.app or run.spec.dataset}, round {run.round} of {run.num_rounds or '?'}"
        for run in runs[:NEWEST]
    ]
    return "\n".join(["The newest runs are:" if len(runs) > NEWEST else "The runs are:", *lines])


def _local_time(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):  # beyond the years 1 to 9999
        return "?"


if __name__ == "__main__":
    run(main)
