"""Clients, as they are seen at the link."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from app.records.base import Record
from app.records.membership import MembershipState
from app.records.mesh import ClientMesh
from app.records.verdicts import Verdict


class ClientState(StrEnum):
    IDLE = "idle"
    TRAINING = "training"
    EVALUATING = "evaluating"
    LATE = "late"
    LOST = "lost"


class ClientProgress(Record):
    """How far a client's current task is."""

    done: int = Field(description="batches")
    total: int = Field(description="batches")
    examples_per_s: float
    loss: float | None = None


class Client(Record):
    id: str
    state: ClientState
    key: str | None = Field(
        default=None, description="the id of its key, in groups; null: it was here before clients had keys"
    )
    membership: MembershipState = Field(
        default=MembershipState.ADMITTED, description="whether it may join with this key"
    )
    waiting_keys: tuple[str, ...] = Field(
        default=(), description="ids of other keys with which somebody asks to join under this name"
    )
    ephemeral: bool = Field(default=False, description="it vanishes from the list when it leaves")
    app: str | None = Field(default=None, description="the Flower app that it runs; null: the built-in one")
    dataset: str
    models: tuple[str, ...]
    run: str | None = Field(
        default=None,
        description="the run that its part, samples, label counts and results are of; null: none yet",
    )
    samples: int | None = Field(
        default=None, description="training samples in its part, known once it trained"
    )
    label_counts: tuple[int, ...] | None = Field(
        default=None, description="training samples by label; null: not known or kept private"
    )
    partition: int | None = None
    num_partitions: int | None = None
    host: str
    device: str
    connected_at: float
    last_seen: float
    reason: str | None = Field(default=None, description="why it takes no part in the active run")
    round: int | None = None
    late_since: float | None = Field(default=None, description="when the deadline was that it has missed")
    progress: ClientProgress | None = None
    withholds_usage: bool = Field(
        default=False, description="by its site's choice it tells nothing of what its machine is used for"
    )
    mesh: ClientMesh | None = Field(
        default=None, description="its node in the mesh; null: it takes no part in it"
    )
    bytes_sent: int = Field(
        default=0,
        description="that the server has sent it over the link, before TLS, since the server was started; "
        "as of its newest reply",
    )
    bytes_received: int = Field(default=0, description="that came from it, likewise")
    verdict: Verdict | None = Field(default=None, description="of its newest reply; null: there was none yet")
    verdicts: dict[Verdict, int] = Field(default_factory=dict, description="how many of its replies got each")
    train_loss: float | None = None
    loss: float | None = None
    accuracy: float | None = None


class ClientGone(Record):
    """A client is not on the list any more."""

    id: str


class ClientCounts(Record):
    connected: int
    lost: int
    pending: int = Field(default=0, description="clients that wait to be approved")
