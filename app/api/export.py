"""/api/v1/runs/<run_id>/export: a run's results as a file for other programs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field

from app.api.aside import web_sleep
from app.api.audited import downloaded
from app.api.problems import Problem, asking_store
from app.api.reply import env
from app.api.runs import RunPath, run_of
from app.auth.roles import Role, needs
from app.exporting.document import RunDocument
from app.exporting.files import zipped
from app.exporting.formats import ExportFormat, export_files
from app.exporting.report.beside import NOTHING, beside

SLICE_S = 0.01
"""After so long a stretch of work an export lets the web server do something else."""

ONE_FILE = MappingProxyType(
    {ExportFormat.JSON: "application/json", ExportFormat.HTML: "text/html; charset=utf-8"}
)
"""The formats that are no archive, with their media types."""

export_api = APIBlueprint(
    "export", __name__, url_prefix="/api/v1/runs", abp_tags=[Tag(name="runs", description="Training runs")]
)


class ExportQuery(BaseModel):
    format: ExportFormat = Field(
        default=ExportFormat.JSON,
        description="json: one document; html: one page to read and print; csv and tensorboard: their files "
        "in a ZIP archive",
    )


class Export(RunDocument):
    """A run with all its rounds, also one that is not complete; or a page that tells of it; or its files in a
    ZIP archive."""

    model_config = ConfigDict(
        openapi_extra={  # type: ignore[typeddict-unknown-key]  # read by flask-openapi3
            "content": {
                "application/zip": {"schema": {"type": "string", "format": "binary"}},
                "text/html": {"schema": {"type": "string"}},
            }
        }
    )


@export_api.get(
    "/<run_id>/export",
    summary="A run's results as a file",
    responses={200: Export, 404: Problem, 422: Problem, 503: Problem},
)
@needs(Role.VIEWER)
def export_run(path: RunPath, query: ExportQuery) -> Response:
    """The answer is an attachment. It may be asked for while the run goes on."""
    run = run_of(path.run_id)
    with asking_store():
        about = beside(env().store, run.id) if query.format is ExportFormat.HTML else NOTHING
    files = export_files(query.format, run, env().book.rounds(run.id), about)
    if (kind := ONE_FILE.get(query.format)) is not None:
        name = f"fedloom-{run.id}.{query.format}"
        content: Iterator[bytes] = (piece for file in files for piece in file.content)
    else:
        name, kind = f"fedloom-{run.id}-{query.format}.zip", "application/zip"
        content = zipped(files, run.created_at)
    downloaded("run", run=run.id, format=query.format)
    response = Response(in_slices(content, web_sleep()), content_type=kind)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def in_slices(pieces: Iterable[bytes], sleep: Callable[[float], None]) -> Iterator[bytes]:
    """The pieces; under eventlet, all else that the web server does has to wait while one is made."""
    slice_end = time.monotonic() + SLICE_S
    for piece in pieces:
        if piece:
            yield piece
        if time.monotonic() >= slice_end:
            sleep(0)
            slice_end = time.monotonic() + SLICE_S
