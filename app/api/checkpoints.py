"""/api/v1/runs/<run_id>/checkpoints: the models that a run has kept."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, send_file
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.audited import downloaded
from app.api.problems import Problem, asking_store, not_found, problem
from app.api.reply import env, reply
from app.api.runs import RunPath, run_of
from app.auth.roles import Role, needs
from app.store.checkpoints import best_round

checkpoints_api = APIBlueprint(
    "checkpoints",
    __name__,
    url_prefix="/api/v1/runs/<run_id>/checkpoints",
    abp_tags=[Tag(name="checkpoints", description="The global model after a round")],
)

SAFETENSORS: dict[str, Any] = {
    "description": "The model as a safetensors file",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


class CheckpointPath(RunPath):
    round: int = Field(ge=0, description="the round after which the model was kept")


class CheckpointEntry(BaseModel):
    round: int
    bytes: int = Field(description="size of the file")
    created_at: float
    best: bool = Field(description="whether no round was better: by accuracy, without any by loss")


class CheckpointList(BaseModel):
    checkpoints: list[CheckpointEntry]


@checkpoints_api.get(
    "", summary="The checkpoints of a run", responses={200: CheckpointList, 404: Problem, 503: Problem}
)
@needs(Role.VIEWER)
def list_checkpoints(path: RunPath) -> Response:
    """Oldest first. Only the newest and the best are kept."""
    run = run_of(path.run_id)
    with asking_store():
        found = env().checkpoints.list(run.id, best_round(env().book.rounds(run.id)))
    return reply(CheckpointList(checkpoints=[CheckpointEntry(**vars(info)) for info in found]))


@checkpoints_api.get(
    "/<int:round>", summary="Download a model", responses={200: SAFETENSORS, 404: Problem, 503: Problem}
)
@needs(Role.VIEWER)
def get_checkpoint(path: CheckpointPath) -> Response:
    """Names, shapes and dtypes are those of the model's state dict; the file's metadata says of which run."""
    run = run_of(path.run_id)
    file = env().checkpoints.path(run.id, path.round)
    try:
        answer = send_file(
            file.absolute(),
            mimetype="application/octet-stream",
            as_attachment=True,
            download_name=f"fedloom-{run.id}-round-{path.round}.safetensors",
        )
        downloaded("model", run=run.id, round=path.round)
        return answer
    except FileNotFoundError:
        return not_found(
            f"Run {run.id} has no checkpoint of round {path.round}. Only the newest and the best are "
            f"kept: GET /api/v1/runs/{run.id}/checkpoints lists them."
        )
    except OSError as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, f"The file {file} cannot be read: {error.strerror}.")
