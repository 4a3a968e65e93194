"""What a client was asked for, free of heavy imports."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from client.site.policy import Policy
from mesh.trust.invitation import MeshInvitation
from shared import paths
from shared.address import Address
from shared.console import LogFormat
from shared.flower_app import FlowerApp
from shared.security.invitation import Invitation
from shared.wire import ConfigScalar

MESH_AFTER_S = 20.0


@dataclass(frozen=True)
class MeshOptions:
    """Of a client that takes part in the mesh. `port` 0: any that is free, and with `only` that of a node by
    itself. `after_s`: how long the server has to be away before the client learns on without it. `join`:
    where members are, and invitations by which to come. `interfaces`: where the node listens and looks for
    others; none: on the way to the server. `page`: the port of this machine at which the client serves a page
    of its own; 0: any that is free; None: it serves none. `only`: the client has no server. `folder`: where
    the server's models are kept alike with the others; None: nowhere."""

    port: int = 0
    after_s: float = MESH_AFTER_S
    join: tuple[Address | MeshInvitation, ...] = ()
    interfaces: tuple[str, ...] = ()
    page: int | None = None
    only: bool = False
    folder: Path | None = None


@dataclass(frozen=True)
class ClientSettings:
    """`max_samples` 0: all. `threads` None: the cores, shared with the run's other clients here.

    With an `app`, `dataset`, `data_dir`, `max_samples`, `device` and `private_labels`, which are about the
    built-in one, are not used; `node_config` is what the app gets to know of this client, and in `home`,
    FedLoom's own folder, are the client's key, the copy from which the app runs, the server that it has
    joined, and the invitation of a server of the same user's. `invite` is another one, and goes before
    `server`; with neither, it is the server that it has joined, or one on this machine. `policy` is what the
    client's site accepts. `mesh`: None: the client takes no part in it.
    """

    client_id: str
    dataset: str
    server: str | None
    data_dir: Path
    max_samples: int = 0
    device: str = "auto"
    threads: int | None = None
    private_labels: bool = False
    app: FlowerApp | None = None
    node_config: dict[str, ConfigScalar] = field(default_factory=dict)
    home: Path = field(default_factory=paths.home_dir)
    invite: Invitation | None = None
    policy: Policy = field(default_factory=Policy)
    mesh: MeshOptions | None = None
    log_format: LogFormat = "text"
