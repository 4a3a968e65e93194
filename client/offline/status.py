"""ClientStatus: what a client in the mesh shows of itself to the people beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from client.link_measure import NO_LINK, LinkView
from client.offline.rounds import GoneRound
from mesh.files.states import FolderView
from mesh.refusals import OTHER, WORDS, Refusal
from mesh.status import MeshStatus
from shared.security.key_id import KeyId
from shared.version import __version__

MAX_NAMES = 20
"""Of files, in each list of a folder; the command `python -m mesh sync status` has as many."""


@dataclass(frozen=True)
class ServerStanding:
    """The server, as this client knows it. `since`: when that began, in Unix seconds. `link`: how far it is,
    and what goes over the link; of one that is not connected nothing is known."""

    address: str
    connected: bool
    since: float
    link: LinkView = NO_LINK


@dataclass(frozen=True)
class RunStanding:
    """The run in which the client has a place. `base_round`: the newest round whose global model it has;
    None: it has none."""

    id: str
    num_rounds: int
    base_round: int | None


@dataclass(frozen=True)
class PairedHere:
    """A node that has come by an invitation. `code`: what both ends show."""

    name: str
    code: str


@dataclass(frozen=True)
class InvitationStanding:
    """The newest invitation that people have made at the client's page. `expires`: Unix seconds; `paired`:
    who has come by it."""

    expires: float
    paired: PairedHere | None


@dataclass(frozen=True)
class JoinStanding:
    """An invitation of another node, by which people have this one come. `paired`: who that is; `problem`:
    why it did not come to that, in words; neither: it is under way."""

    paired: PairedHere | None
    problem: str | None


@dataclass(frozen=True)
class ClientStatus:
    """At one moment, which is `time`, in Unix seconds. `server`: None: it needs none. `learning`: whether it
    learns without one."""

    client: str
    time: float
    server: ServerStanding | None
    learning: bool
    run: RunStanding | None
    mesh: MeshStatus
    rounds: Sequence[GoneRound]
    blocked: Mapping[KeyId, str]
    refused: Sequence[Refusal]
    """What its node has not taken from others."""
    rates: Mapping[KeyId, tuple[float, float]]
    """Bytes a second to each neighbour and from it."""
    folders: Sequence[FolderView]
    vouched: bool | None
    """Whether the server vouches for this client in the mesh; None: it has sent no roster."""
    invitation: InvitationStanding | None
    joining: JoinStanding | None

    def to_json(self) -> dict[str, Any]:
        """As the page gets it (`app/frontend/src/field/status.ts`)."""
        return {
            "version": __version__,
            "client": self.client,
            "time": self.time,
            "server": None if self.server is None else asdict(self.server),
            "learning": self.learning,
            "run": None if self.run is None else vars(self.run),
            "mesh": self.mesh.to_json(),
            "rounds": [_round(gone) for gone in self.rounds],
            "blocked": [{"key": str(key), "name": name} for key, name in self.blocked.items()],
            "refused": [_refusal(each) for each in self.refused],
            "traffic": [
                {"key": str(key), "sent_per_s": sent, "received_per_s": received}
                for key, (sent, received) in self.rates.items()
            ],
            "vouched": self.vouched,
            "invitation": None if self.invitation is None else asdict(self.invitation),
            "joining": None if self.joining is None else asdict(self.joining),
            "folders": [_folder(view) for view in self.folders],
        }


def _folder(view: FolderView) -> dict[str, Any]:
    told = asdict(view)
    return {
        **told,
        "refused": sum(each.count for each in view.refused),
        "conflict_count": len(view.conflicts),
        "conflicts": told["conflicts"][:MAX_NAMES],
        "not_in_sync": told["not_in_sync"][:MAX_NAMES],
    }


def _refusal(refusal: Refusal) -> dict[str, Any]:
    words = WORDS.get(refusal.reason, WORDS[OTHER])
    return {"key": refusal.peer, "reason": refusal.reason, "words": words, "count": refusal.count}


def _round(gone: GoneRound) -> dict[str, Any]:
    return {
        "run_id": gone.base.run,
        "base_round": gone.base.round,
        "number": gone.number,
        "time": gone.time,
        "loss": gone.loss,
        "accuracy": gone.accuracy,
        "divergence": gone.divergence,
        "averaged_with": [str(key) for key in gone.averaged_with],
    }
