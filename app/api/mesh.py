"""/api/v1/mesh: the clients' network, as they report it, and for whom the server does not vouch in it."""

from __future__ import annotations

import time
from http import HTTPStatus

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.api.access import current
from app.api.audited import decided, who
from app.api.clients import KeyChoice
from app.api.problems import Problem, not_found, problem
from app.api.reply import env, reply
from app.audit.decided import Decision
from app.auth.roles import Role, needs
from app.federation.link.clients import ClientRegistry
from app.federation.link.mesh_blocks import BlockRefused, BlocksUnusable
from app.records import ClientMesh, ClientState, MeshBlock, MeshNow, MeshPeer, MeshStory
from shared.text import printable

MAX_REASON = 200

mesh_api = APIBlueprint(
    "mesh",
    __name__,
    url_prefix="/api/v1/mesh",
    abp_tags=[Tag(name="mesh", description="What clients do among themselves")],
)


class MeshNode(BaseModel):
    """A client that takes part in the mesh."""

    id: str = Field(description="the client's")
    key: str | None = Field(description="the id of its key, in groups, by which others name it")
    connected: bool = Field(description="with the server; of one that is not, the rest is as it was last")
    mesh: ClientMesh
    peers: tuple[MeshPeer, ...] = Field(description="the others, as it sees them")
    story: MeshStory
    now: MeshNow | None = Field(description="what changes all the time; null: it has not told yet")


class MeshTopology(BaseModel):
    nodes: list[MeshNode] = Field(
        description="in their natural order; what each says of the others stands in it, and need not agree"
    )
    blocked: list[MeshBlock] = Field(
        description="for whom the server does not vouch, the newest first; whom people at a client have "
        "blocked, that client's story tells"
    )


class Block(KeyChoice):
    """The key of a client, as `KeyChoice` has it."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="", max_length=MAX_REASON, description="in words, for whoever looks later")

    @field_validator("reason")
    @classmethod
    def _one_line(cls, reason: str) -> str:
        if not reason.isprintable():
            raise ValueError("a reason is one line that can be printed")
        return printable(reason.strip())


@mesh_api.get("", summary="Who sees whom in the clients' mesh", responses={200: MeshTopology})
@needs(Role.VIEWER)
def get_mesh() -> Response:
    """Each client tells it when it has changed, and when it comes back."""
    return _topology()


@mesh_api.post(
    "/block",
    summary="Vouch for a client in the mesh no more",
    responses={200: MeshTopology, 404: Problem, 409: Problem, 422: Problem, 503: Problem},
)
@needs(Role.ADMIN)
def block_in_mesh(body: Block) -> Response:
    """Within seconds the others end their links to it and take nothing from it, unless their own people have
    paired it with them. It stays a client of this server."""
    client = next((client for client in env().registry.snapshot() if client.key == body.key), None)
    if client is None:
        return not_found("No client of this server has this key. GET /api/v1/clients lists all.")
    block = MeshBlock(key=body.key, client=client.id, by=who(current()), time=time.time(), reason=body.reason)
    try:
        env().link.mesh_blocks.add(block)
    except BlockRefused as error:
        return problem(HTTPStatus.CONFLICT, str(error))
    except BlocksUnusable as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    decided(Decision.blocked_in_mesh(block))
    env().link.mesh_blocks_changed()
    return _topology()


@mesh_api.post(
    "/unblock",
    summary="Vouch for a client in the mesh again",
    responses={200: MeshTopology, 409: Problem, 422: Problem, 503: Problem},
)
@needs(Role.ADMIN)
def unblock_in_mesh(body: KeyChoice) -> Response:
    """If it is admitted and takes part, the others may trust it again by this server's word. Whom people at a
    client have blocked, they alone can take back."""
    try:
        block = env().link.mesh_blocks.remove(body.key)
    except BlockRefused as error:
        return problem(HTTPStatus.CONFLICT, str(error))
    except BlocksUnusable as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    decided(Decision.unblocked_in_mesh(block))
    env().link.mesh_blocks_changed()
    return _topology()


def _topology() -> Response:
    return reply(MeshTopology(nodes=nodes_of(env().registry), blocked=list(env().link.mesh_blocks.all())))


def nodes_of(registry: ClientRegistry) -> list[MeshNode]:
    """Those of the clients that take part."""
    return [
        MeshNode(
            id=client.id,
            key=client.key,
            connected=client.state is not ClientState.LOST,
            mesh=client.mesh,
            peers=tuple(registry.mesh_peers(client.id)),
            story=registry.mesh_story(client.id),
            now=registry.mesh_now(client.id),
        )
        for client in registry.snapshot()
        if client.mesh is not None
    ]
