"""The server's end of the link in the test's own process, with nothing but what it needs."""

from __future__ import annotations

from app.audit.log import AuditLog
from app.event_bus import EventBus
from app.federation.link.clients import ClientRegistry
from app.federation.link.server import LinkServer
from app.federation.link.spool import Spool
from shared.security.server_identity import ServerIdentity
from tests.support.audit import a_log
from tests.support.enrolment import an_enrolment


def a_link(
    identity: ServerIdentity, spool: Spool, *, bus: EventBus | None = None, audit: AuditLog | None = None
) -> tuple[LinkServer, ClientRegistry]:
    """A link that does not listen yet, and who is there."""
    bus = bus or EventBus()
    registry = ClientRegistry(bus)
    link = LinkServer(
        registry, bus, None, lambda app: None, spool, identity, an_enrolment(identity), audit or a_log()
    )
    return link, registry
