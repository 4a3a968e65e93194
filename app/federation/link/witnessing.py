"""Shows the audit log to the clients, which witness it: a state machine without I/O, for one connection.

A client first says what it has seen of the log before. Then it is shown one checkpoint at a time, with the
proof that the log has only grown since, and cosigns it.
"""

from __future__ import annotations

import logging

from app.audit.log import AuditLog
from app.federation.link.clients_at_work import ClientStream
from app.store.audit import Cosignature
from shared.errors import WireError
from shared.proto.link_pb2 import Cosignature as CosignatureFrame
from shared.proto.link_pb2 import ServerFrame
from shared.security.checkpoint import Checkpoint
from shared.security.keys import BadSignature, PublicKey

log = logging.getLogger(__name__)


class Witnessing:
    """By the client of one connection. Owned by the link thread."""

    def __init__(self, client_id: str, key: PublicKey, stream: ClientStream, audit: AuditLog) -> None:
        self._client_id = client_id
        self._key = key
        self._stream = stream
        self._audit = audit
        self._seen: int | None = None
        """How many entries the client has seen; None: it has not said."""
        self._asked: Checkpoint | None = None
        """What it was shown and has not cosigned yet."""

    def answered(self, frame: CosignatureFrame) -> None:
        """The client says what it has seen. Raises WireError for what cannot be."""
        if self._seen is None:
            self._seen = frame.size if frame.log == self._audit.id else 0
            self._show(self._audit.newest)
            return
        asked, self._asked = self._asked, None
        if asked is None or (frame.log, frame.size) != (asked.log, asked.size):
            raise WireError("It cosigned a checkpoint that it was not shown.")
        try:
            asked.verify_cosignature(frame.signature, self._key)
        except BadSignature as error:
            raise WireError("It cosigned a checkpoint with a signature that is not its own.") from error
        self._seen = asked.size
        self._audit.cosigned(
            Cosignature(self._client_id, self._key.id, asked.size, asked.time, frame.signature)
        )
        self.look()

    def look(self) -> None:
        """There may be a checkpoint that the client is to see."""
        shown = self._audit.shown
        if self._seen is not None and self._asked is None and shown is not None and shown.size > self._seen:
            self._show(shown)

    def _show(self, checkpoint: Checkpoint | None) -> None:
        if checkpoint is None or self._seen is None:
            return
        self._asked = checkpoint
        proof = self._audit.proof(self._seen, checkpoint.size)
        since = self._seen if 0 < self._seen <= checkpoint.size else 0
        self._stream.send([ServerFrame(checkpoint=checkpoint.to_frame(since, proof))])
