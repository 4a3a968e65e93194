"""What `sign` compares with: a link on which nothing is hashed, signed or verified.

FedLoom has no such switch. These stand-ins take the place of what does it, in a process of the benchmark
alone; all else is as it is.
"""

from __future__ import annotations

from types import SimpleNamespace

import shared.hashing
import shared.security.digest
from shared.security.digest import DIGEST_BYTES
from shared.security.keys import KeyPair, PublicKey

SIGNATURE_BYTES = 256


class _Unhashed:
    """In place of `hashlib.sha256`: the same for whatever comes."""

    def update(self, data: object) -> None:
        """Look at nothing."""

    def digest(self) -> bytes:
        """As long as one."""
        return bytes(DIGEST_BYTES)


def trust_blindly() -> None:
    """From here on this process hashes no message, signs nothing and believes every signature."""
    vars(shared.security.digest)["hashlib"] = SimpleNamespace(sha256=_Unhashed)
    for limit in ("SMALL", "SMALL_ARRIVING"):  # no thread is needed for it
        vars(shared.hashing)[limit] = 1 << 62
    KeyPair.sign = _sign  # type: ignore[assignment, method-assign]
    PublicKey.verify = _verify  # type: ignore[assignment, method-assign]


def _sign(_: KeyPair, __: bytes) -> bytes:
    return bytes(SIGNATURE_BYTES)


def _verify(_: PublicKey, __: bytes, ___: bytes) -> None:
    """Whatever came will do."""
