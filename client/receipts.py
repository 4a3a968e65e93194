"""What a client keeps of the server's word that it has accepted its replies: a file of receipts."""

from __future__ import annotations

import logging
import os
from concurrent.futures import Executor
from pathlib import Path

from client.sealing import Signed
from shared.proto.link_pb2 import Receipt as ReceiptFrame
from shared.security.keys import BadSignature
from shared.security.receipts import Receipt
from shared.security.seals import Accepted

FOLDER = "receipts"

log = logging.getLogger(__name__)


class Receipts:
    """Of one client, in `FEDLOOM_HOME/receipts`; readable by its user alone. `threads` write them."""

    def __init__(self, home: Path, client_id: str, threads: Executor) -> None:
        self._path = home / FOLDER / f"{client_id}.jsonl"
        self._threads = threads
        self._has_failed = False

    def keep(self, signed: Signed, frame: ReceiptFrame) -> None:
        """Keep the receipt for a reply, if the server has signed it for that very reply; does not wait."""
        accepted = Accepted(signed.update, frame.time_us)
        receipt = Receipt(signed.server, accepted, frame.signature, signed.signature)
        try:
            receipt.verify()
        except BadSignature:
            log.error(
                "the server's receipt for a reply of round %d is not one: it is not signed for the reply "
                "that was sent. It is not kept; ask whoever runs the server",
                signed.update.round,
            )
            return
        self._threads.submit(self._append, receipt.as_line())

    def _append(self, line: str) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            if not self._has_failed:
                self._has_failed = True
                log.warning("receipts cannot be kept in %s: %s", self._path, error)
