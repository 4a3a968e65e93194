"""A receipt as a client keeps it: one line of JSON, which anybody can check who knows the two keys."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Self

from shared.errors import FedLoomError
from shared.security.digest import Digests
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, PublicKey
from shared.security.seals import Accepted, Update


class ReceiptInvalid(FedLoomError):
    """A line is no receipt."""


@dataclass(frozen=True)
class Receipt:
    """The server's word that it has accepted a reply, with all that either of the two has signed."""

    server: PublicKey
    accepted: Accepted
    signature: bytes
    """The server's, under `accepted`."""
    update_signature: bytes
    """The client's, under the update in it."""

    def verify(self) -> None:
        """Raises BadSignature unless this server has signed it, KeyUnusable for a key that is none.

        Whether it is the right server, says its key, and whether the client has signed, the client's.
        """
        if self.server.id != self.accepted.update.server:
            raise BadSignature("The receipt is for a reply to another server than the one that signed it.")
        self.server.verify(self.signature, self.accepted.statement())

    def as_line(self) -> str:
        """One line of JSON, with its end."""
        update = self.accepted.update
        fields = {
            "time_us": self.accepted.time_us,
            "run_id": f"{update.run_id:08x}",
            "round": update.round,
            "message_id": update.message_id,
            "client_id": update.client_id,
            "client": str(update.client),
            "sequence": update.sequence,
            "skeleton_digest": update.digests.skeleton.hex(),
            "arrays_digest": update.digests.arrays.hex(),
            "base_digest": update.base.hex(),
            "update_signature": self.update_signature.hex(),
            "server": str(update.server),
            "server_key": b64encode(self.server.der).decode(),
            "signature": self.signature.hex(),
        }
        return json.dumps(fields, separators=(",", ":")) + "\n"

    @classmethod
    def parse(cls, line: str) -> Self:
        """The inverse of `as_line`; what it says is not checked. Raises ReceiptInvalid."""
        try:
            fields = json.loads(line)
            update = Update(
                server=KeyId.parse(fields["server"]),
                run_id=int(fields["run_id"], 16),
                round=int(fields["round"]),
                message_id=str(fields["message_id"]),
                client_id=str(fields["client_id"]),
                client=KeyId.parse(fields["client"]),
                sequence=int(fields["sequence"]),
                digests=Digests(
                    bytes.fromhex(fields["skeleton_digest"]), bytes.fromhex(fields["arrays_digest"])
                ),
                base=bytes.fromhex(fields["base_digest"]),
            )
            server = PublicKey(b64decode(fields["server_key"], validate=True))
            accepted = Accepted(update, int(fields["time_us"]))
            return cls(
                server,
                accepted,
                bytes.fromhex(fields["signature"]),
                bytes.fromhex(fields["update_signature"]),
            )
        except (ValueError, TypeError, LookupError, AttributeError, FedLoomError) as error:
            raise ReceiptInvalid(f"A receipt cannot be read: {error}") from error
