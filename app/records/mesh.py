"""The mesh, as clients report it, and what of a run was learned in it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.records.base import Record
from shared.mesh_contribution import MAX_NUMBER

MAX_PEERS = 1_000
"""Of one client."""
MAX_FOLDERS = 100
"""Of one client."""
MAX_REFUSALS = 500
"""Of one client; it tells of the most frequent."""
MAX_ADDRESSES = 8
MAX_MESH_ROUNDS = 200
"""Of one client; it tells of the newest."""
MAX_AVERAGED_WITH = 100
"""Of one round."""


class MeshPeer(Record):
    """Another node, as a client sees it."""

    key: str = Field(description="the id of its key, in groups")
    state: str = Field(description="online, stale, offline or rejoined")
    hops: int | None = Field(description="links on the way to it; null: there is no way")
    latency_s: float | None = Field(description="there and back; null: not measured")


class MeshProgress(Record):
    """What a client has learned of a run without the server, under a number that stands for it."""

    run_id: str
    contribution: Annotated[int, Field(ge=1, le=MAX_NUMBER)]
    generation: Annotated[int, Field(ge=1, le=MAX_NUMBER)]
    base_round: Annotated[int, Field(ge=0)]
    rounds: Annotated[int, Field(ge=1)]


class ClientMesh(Record):
    """A client's node in the mesh, by the client's word."""

    addresses: Annotated[tuple[str, ...], Field(max_length=MAX_ADDRESSES)] = ()
    progress: MeshProgress | None = Field(
        default=None, description="what it has learned without the server; null: nothing that it lacks"
    )
    online: Annotated[int, Field(ge=0)] = Field(
        default=0, description="how many of the others it can reach; GET /api/v1/mesh says which"
    )
    rounds: Annotated[int, Field(ge=0, le=MAX_MESH_ROUNDS)] = Field(
        default=0, description="how many that it has gone without the server GET /api/v1/mesh has of it"
    )


class MeshRound(Record):
    """One that a client has gone without the server, by the client's word."""

    run_id: str
    base_round: int = Field(description="the round after which it left the server's model")
    number: int = Field(description="since then, from 1")
    time: float = Field(description="when it ended, by the client's clock")
    loss: float | None = Field(description="of the training; null: there was none, or it stays at the client")
    accuracy: float | None = Field(
        description="of the model after averaging, on what the client has held out"
    )
    divergence: float | None = Field(
        description="how far the farthest model was that it averaged with, in parts of its own model's norm; "
        "null: there was none"
    )
    averaged_with: tuple[str, ...] = Field(description="the ids of their keys, in groups")


class MeshBlocked(Record):
    """A node that people at a client have blocked."""

    key: str = Field(description="the id of its key, in groups")
    name: str = Field(description="by which it was known there; empty: by none")


class MeshBlock(Record):
    """A client for which the server does not vouch in the mesh: others are not to trust it by its word."""

    key: str = Field(description="the id of its key, in groups")
    client: str = Field(description="whose key it was when that was decided")
    by: str = Field(description="who has decided it")
    time: float
    reason: str = Field(description="in the words of whoever has decided it; empty: none was given")


class MeshWay(Record):
    """The way from a client's node to another, as it is now."""

    key: str = Field(description="the id of the other's key, in groups")
    latency_s: float | None = Field(description="there and back; null: not measured")
    sent_per_s: float | None = Field(description="bytes over the link to it; null: there is none")
    received_per_s: float | None


class MeshFolder(Record):
    """A folder that a client keeps alike with others, in numbers."""

    id: str = Field(description="by which all nodes know it")
    receive_only: bool
    files: int = Field(description="that are to be there")
    in_sync: int = Field(description="of these, how many are as the newest of what all say")
    bytes: int = Field(description="that are there")
    conflicts: int = Field(description="copies beside files that were changed in two places at once")
    coming: int = Field(description="files of which chunks arrive")
    chunks: int = Field(description="of these files, that are there")
    of_chunks: int
    refused: int = Field(description="messages about the folder that were not taken")
    peers: int = Field(description="with how many others it is shared")
    alike: int = Field(description="of these, how many have said to have the same")
    failed: bool = Field(description="it is not shared at present; its client knows why")


class MeshRefusal(Record):
    """How often a client's node has not taken something in the mesh, since it was started."""

    key: str | None = Field(
        description="the id of the key of the member by whom it came, in groups; null: of nobody who is one"
    )
    reason: str = Field(description="a code; docs/mesh-use.md has them")
    words: str = Field(description="what it was, for people")
    count: Annotated[int, Field(ge=1, le=MAX_NUMBER)]


class MeshNow(Record):
    """What changes all the time of a client's node, by its word. `time`: when it came."""

    time: float
    ways: Annotated[tuple[MeshWay, ...], Field(max_length=MAX_PEERS)] = ()
    folders: Annotated[tuple[MeshFolder, ...], Field(max_length=MAX_FOLDERS)] = ()
    refused: Annotated[tuple[MeshRefusal, ...], Field(max_length=MAX_REFUSALS)] = ()


class MeshStory(Record):
    """What a client tells of its time in the mesh, beside how it is there now."""

    rounds: Annotated[tuple[MeshRound, ...], Field(max_length=MAX_MESH_ROUNDS)] = ()
    blocked: Annotated[tuple[MeshBlocked, ...], Field(max_length=MAX_PEERS)] = ()


class MeshMerge(Record):
    """What clients have learned in the mesh has made a run's global model of a round."""

    round: int
    since: int = Field(description="the newest round that this model and what they began with have in common")
    mesh_rounds: int = Field(description="that they went, the most of any")
    clients: tuple[str, ...]
    contributions: tuple[int, ...] = Field(description="their numbers, in the order of the clients")


class RunGeneration(Record):
    """One server's turn with a run, from one taking up to the next."""

    number: Annotated[int, Field(ge=1, le=MAX_NUMBER)]
    began: int = Field(description="the round after which it was taken up")


class RunMesh(Record):
    """A run in the mesh."""

    generations: tuple[RunGeneration, ...] = ()
    merges: tuple[MeshMerge, ...] = ()
