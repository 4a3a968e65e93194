"""Job: what a client does, once all is prepared that could fail or take long."""

from __future__ import annotations

from dataclasses import dataclass

from flwr.app import UserConfig

from client.link import ClientIdentity
from client.runtime import LocalApp


@dataclass(frozen=True)
class Job:
    """What this client does: an app, what the app gets to know of this client, and what the server does."""

    app: LocalApp
    node_config: UserConfig
    identity: ClientIdentity
