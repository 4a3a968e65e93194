"""What runs need of the server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.audit.log import AuditLog
from app.audit.updates import UpdateFiles
from app.federation.engines.superlink.settings import SuperLinkSettings
from app.federation.link.clients import ClientRegistry
from app.federation.link.server import LinkServer
from app.federation.runs.app_hosts import AppHosts
from app.federation.runs.book import RunBook
from app.store.checkpoints import CheckpointStore
from app.store.store import Store
from app.store.writer import StoreWriter
from shared.flower_app import FlowerApp
from shared.security.key_id import KeyId


@dataclass(frozen=True)
class Services:
    """The parts of the server that its runs use. `app`: the Flower app that it was started with, if any, and
    the processes for that."""

    book: RunBook
    link: LinkServer
    registry: ClientRegistry
    store: Store
    writer: StoreWriter
    checkpoints: CheckpointStore
    audit: AuditLog
    server: KeyId
    """The id of the server's key."""
    updates: UpdateFiles
    data_dir: Path
    app: FlowerApp | None
    app_hosts: AppHosts | None = None
    superlink: SuperLinkSettings | None = None
