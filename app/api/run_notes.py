"""PATCH and DELETE of /api/v1/runs: what people say of runs, and that they are to be no more."""

from __future__ import annotations

import hashlib
import logging
from http import HTTPStatus
from typing import Annotated

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from app.api.access import current
from app.api.audited import audited
from app.api.problems import Problem, invalid, problem
from app.api.reply import env, reply
from app.api.run_ids import ids_in
from app.api.runs import RunPath, durable, run_of, settled
from app.audit.entry import Kind
from app.auth.roles import Role, needs
from app.records import Run, RunNotes
from shared.errors import IllegalTransition, StoreUnavailable

log = logging.getLogger(__name__)

run_notes_api = APIBlueprint(
    "run_notes", __name__, url_prefix="/api/v1/runs", abp_tags=[Tag(name="runs", description="Training runs")]
)

MOST_DELETED = 1_000

Trimmed = Annotated[str, StringConstraints(strip_whitespace=True)]


class RunChange(BaseModel):
    """A field that is left out stays as it is; null or empty takes away what is there."""

    name: Trimmed | None = Field(default=None, description="what people call it, up to 80 characters")
    tags: list[Trimmed] | None = Field(
        default=None, description="up to 20 words of up to 40 characters, without commas"
    )
    notes: Trimmed | None = Field(default=None, description="up to 10,000 characters")


class DeleteQuery(BaseModel):
    ids: str = Field(min_length=1, max_length=20_000, description="ids of runs, with commas between them")


class RunKept(BaseModel):
    id: str
    why: str = Field(description="in words")


class RunsDeleted(BaseModel):
    deleted: list[str]
    kept: list[RunKept] = Field(description="those that could not be deleted")


@run_notes_api.patch(
    "/<run_id>",
    summary="Change a run's name, tags and notes",
    responses={200: Run, 404: Problem, 409: Problem, 422: Problem},
)
@needs(Role.OPERATOR)
def change_run(path: RunPath, body: RunChange) -> Response:
    """It changes nothing of what the run does, and may be done in any state."""
    run = run_of(path.run_id)
    try:
        notes = _notes_of(run, body)
    except ValidationError as error:
        return invalid(error)
    try:
        changed = env().runs.annotate(run.id, notes)
    except IllegalTransition as error:
        return problem(HTTPStatus.CONFLICT, str(error))
    if changed != run:
        digest = hashlib.sha256(changed.notes.encode()).hexdigest() if changed.notes else None
        audited(Kind.RUN_NOTED, run=run.id, name=changed.name, tags=list(changed.tags), notes=digest)
    return reply(durable(changed))


@run_notes_api.delete(
    "/<run_id>", summary="Delete a run", responses={204: None, 404: Problem, 409: Problem, 503: Problem}
)
@needs(Role.OPERATOR)
def delete_run(path: RunPath) -> Response:
    """Its curves, log and checkpoints are gone; the audit log keeps what it says of it. A run that goes on or
    is queued has to be stopped first."""
    run = run_of(path.run_id)
    try:
        _delete(run)
    except IllegalTransition as error:
        return problem(HTTPStatus.CONFLICT, str(error))
    except StoreUnavailable as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    settled()
    return Response(status=HTTPStatus.NO_CONTENT)


@run_notes_api.delete("", summary="Delete several runs", responses={200: RunsDeleted, 422: Problem})
@needs(Role.OPERATOR)
def delete_runs(query: DeleteQuery) -> Response:
    """Each as by itself; the answer says which were, and why others were not."""
    answer = RunsDeleted(deleted=[], kept=[])
    for run_id in ids_in(query.ids)[:MOST_DELETED]:
        run = env().book.get(run_id)
        if run is None:
            answer.kept.append(RunKept(id=run_id, why=f"There is no run {run_id!r}."))
            continue
        try:
            _delete(run)
        except (IllegalTransition, StoreUnavailable) as error:
            answer.kept.append(RunKept(id=run_id, why=str(error)))
        else:
            answer.deleted.append(run_id)
    settled()
    return reply(answer)


def _notes_of(run: Run, change: RunChange) -> RunNotes:
    """Raises ValidationError."""
    values = {name: getattr(run, name) for name in RunNotes.model_fields}
    for name in change.model_fields_set:
        values[name] = getattr(change, name) or None
    tags = values["tags"] or ()
    return RunNotes(**{**values, "tags": tuple(dict.fromkeys(tag for tag in tags if tag))})


def _delete(run: Run) -> None:
    """Raises IllegalTransition, and StoreUnavailable while it would be there again after a restart."""
    if (why := env().writer.problem) is not None:
        raise StoreUnavailable(f"Run {run.id} was not deleted, since that could not be kept: {why}")
    env().runs.delete(run.id)
    audited(Kind.RUN_DELETED, run=run.id, state=run.state)
    log.info("%s has deleted run %s", current(), run.id)
