"""`python -m app.export RUN_ID ...`: write runs' results to files, also while a server works on them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from app.exporting.files import ExportFile
from app.exporting.formats import ExportFormat, export_files
from app.exporting.outcome import outcome
from app.exporting.report.beside import beside
from app.exporting.report.pages import Compared, comparison_report
from app.exporting.times import last_known
from app.records import Cause, Round, Run
from app.store.flag import add_store_flag
from app.store.reader import StoreReader
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
        for path in export(arguments.run_ids, _chosen(arguments.format), arguments.output, arguments.store):
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
        description="Write a run's results to files: run.json; report.html, to read and print; "
        "rounds.csv and clients.csv; or a folder tensorboard for `tensorboard --logdir`. The server may be "
        "running meanwhile.",
    )
    parser.add_argument(
        "run_ids",
        nargs="+",
        metavar="RUN_ID",
        help="the run's id, as the page and the log show it; several as HTML are compared as well",
    )
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
    add_store_flag(parser)
    return parser


def export(run_ids: Sequence[str], formats: Sequence[ExportFormat], output: Path, url: str) -> Iterator[Path]:
    """Write each run's files below `output` / its id, and yield the path of each once it is there. Of several
    runs that are wanted as HTML there is a comparison as well, to which the first is the baseline.

    A file that is there already is replaced when the new one is complete. Raises UnknownName when there is
    no such run, StoreUnavailable when the store cannot be read, and OSError when a file cannot be written.
    """
    try_to_write(output / "run.json")
    compared = []
    with StoreReader.open_to_read(url) as store:
        runs = [_run(store, run_id) for run_id in dict.fromkeys(run_ids)]
        for run in runs:
            rounds, about = store.rounds(run.id), beside(store, run.id)
            came_of_it = outcome(run, rounds, about.received, last_known(run, rounds))
            compared.append(Compared(run, rounds, came_of_it))
            _warn_of_gaps(run, rounds)
            for export_format in formats:
                for file in export_files(export_format, run, rounds, about):
                    yield _written(output / run.id / file.path, file)
    if len(compared) > 1 and ExportFormat.HTML in formats:
        file = comparison_report(compared, compared[0].run.id)
        yield _written(output / file.path, file)


def _run(store: StoreReader, run_id: str) -> Run:
    run = store.run(run_id)
    if run is None:
        raise UnknownName(f"There is no run {run_id!r}. {_newest(store.runs())}")
    return run


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


def _written(path: Path, file: ExportFile) -> Path:
    """The path, once the file is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".export-{os.getpid()}")
    try:
        with partial.open("wb") as target:
            target.writelines(file.content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


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
