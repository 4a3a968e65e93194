"""The formats in which a run can be exported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from app.exporting.document import document
from app.exporting.files import ExportFile
from app.exporting.report.beside import NOTHING, Beside
from app.exporting.report.pages import run_report
from app.exporting.tables import tables
from app.records import Round, Run


class ExportFormat(StrEnum):
    JSON = "json"
    CSV = "csv"
    TENSORBOARD = "tensorboard"
    HTML = "html"


def export_files(
    export_format: ExportFormat, run: Run, rounds: Sequence[Round], beside: Beside = NOTHING
) -> Iterator[ExportFile]:
    """The files of a run in one format. The same run gives the same bytes, whenever and wherever.

    `beside`: what only a report tells.
    """
    match export_format:
        case ExportFormat.JSON:
            return document(run, rounds)
        case ExportFormat.CSV:
            return tables(run, rounds)
        case ExportFormat.TENSORBOARD:
            from app.exporting.event_files import event_files  # importing TensorBoard takes 0.3 s

            return event_files(run, rounds)
        case ExportFormat.HTML:
            return iter([run_report(run, rounds, beside)])
