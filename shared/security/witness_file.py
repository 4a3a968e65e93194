"""WitnessFile: what a client has seen of audit logs, as it keeps it and as an auditor reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from shared.canonical import NotCanonical, canonical, from_canonical
from shared.errors import FedLoomError
from shared.proto.link_pb2 import NextKey
from shared.security.checkpoint import Checkpoint
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, KeyUnusable, PublicKey
from shared.security.next_key import verify_next_key

FORMAT = "fedloom-witness/v1"


class WitnessFileInvalid(FedLoomError):
    """A file is not what a client keeps of the logs that it has seen."""


@dataclass(frozen=True)
class Seen:
    """The newest checkpoint that a client has seen of a server's log, and its own signature under it."""

    checkpoint: Checkpoint
    server: PublicKey
    cosignature: bytes
    following: NextKey | None = None
    """What the server has said of the key that it will have, signed by the one that it has."""


@dataclass(frozen=True)
class WitnessFile:
    """Of one client; one log for each server."""

    client_id: str
    key: PublicKey
    seen: tuple[Seen, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """What is in a file; None: there is none. Raises WitnessFileInvalid unless every signature holds."""
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WitnessFileInvalid(f"{path} cannot be read: {error.strerror or error}.") from error
        try:
            found = cls._of(from_canonical(data.removesuffix(b"\n")))
        except (NotCanonical, BadSignature, KeyUnusable, ValueError, TypeError, KeyError) as error:
            raise WitnessFileInvalid(
                f"{path} is not what a client keeps of an audit log, or was changed: {error}."
            ) from error
        return found

    def of_server(self, server: KeyId) -> Seen | None:
        """What was seen of the log of the server with this key."""
        return next((each for each in self.seen if each.server.id == server), None)

    def of_log(self, log: bytes) -> Seen | None:
        """What was seen of this log, whoever has signed it."""
        return next((each for each in self.seen if each.checkpoint.log == log), None)

    def of_former(self, server: KeyId) -> Seen | None:
        """What was seen of the log of the server that has announced to have this key next."""
        return next((each for each in self.seen if _following(each) == server), None)

    def with_seen(self, seen: Seen) -> Self:
        """With this in place of what was seen of that server, or of that log, before."""
        server, log = seen.server.id, seen.checkpoint.log
        others = (each for each in self.seen if each.server.id != server and each.checkpoint.log != log)
        return type(self)(self.client_id, self.key, (*others, seen))

    def to_bytes(self) -> bytes:
        """As the file has it."""
        value = {
            "format": FORMAT,
            "client": self.client_id,
            "key": self.key.der.hex(),
            "seen": [
                {
                    "server": each.server.der.hex(),
                    "log": each.checkpoint.log.hex(),
                    "size": each.checkpoint.size,
                    "root": each.checkpoint.root.hex(),
                    "time": each.checkpoint.time,
                    "signature": each.checkpoint.signature.hex(),
                    "cosignature": each.cosignature.hex(),
                    "following": None if each.following is None else _notice(each.following),
                }
                for each in self.seen
            ],
        }
        return canonical(value) + b"\n"

    @classmethod
    def _of(cls, value: dict[str, Any]) -> Self:
        if value["format"] != FORMAT:
            raise ValueError("it is of another kind or version")
        key = PublicKey(bytes.fromhex(value["key"]))
        found = cls(str(value["client"]), key, tuple(_seen(each, key) for each in value["seen"]))
        if found.to_bytes() != canonical(value) + b"\n":
            raise ValueError("it has other fields")
        return found


def _seen(value: dict[str, Any], client: PublicKey) -> Seen:
    server = PublicKey(bytes.fromhex(value["server"]))
    checkpoint = Checkpoint(
        log=bytes.fromhex(value["log"]),
        size=int(value["size"]),
        root=bytes.fromhex(value["root"]),
        time=int(value["time"]),
        signer=server.id,
        signature=bytes.fromhex(value["signature"]),
    )
    cosignature = bytes.fromhex(value["cosignature"])
    checkpoint.verify(server)
    checkpoint.verify_cosignature(cosignature, client)
    following = value["following"]
    if following is None:
        return Seen(checkpoint, server, cosignature)
    notice = NextKey(
        public_key=bytes.fromhex(following["public_key"]), signature=bytes.fromhex(following["signature"])
    )
    verify_next_key(notice, server)
    return Seen(checkpoint, server, cosignature, notice)


def _notice(notice: NextKey) -> dict[str, str]:
    return {"public_key": notice.public_key.hex(), "signature": notice.signature.hex()}


def _following(seen: Seen) -> KeyId | None:
    return None if seen.following is None else PublicKey(seen.following.public_key).id
