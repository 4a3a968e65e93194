"""The invitations of a node that are open, and who may use one. No I/O, and no clock of its own.

An invitation's token has 128 random bits, is good for one key and some minutes, and is kept as a hash.
Whoever uses it proves a key of their own with it, since the hello that holds it is signed.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from mesh.trust.invitation import new_token
from shared.errors import FedLoomError
from shared.security.key_id import KeyId

LIFETIME_S = 600.0
MAX_OPEN = 16
MAX_WRONG = 5
"""Tokens that are none, after which all open invitations are void: somebody is guessing."""


class Refusal(StrEnum):
    """Why a token was not taken."""

    UNKNOWN = "unknown-token"
    USED = "used-token"
    EXPIRED = "expired-token"
    VOID = "void-token"
    """it was good until somebody tried too many that are none"""
    NOT_TAKEN = "not-taken"
    """whoever has the token is blocked, or there is no room for another member"""


WORDS: Mapping[Refusal, str] = MappingProxyType(
    {
        Refusal.UNKNOWN: "The node knows no such invitation. Ask for another.",
        Refusal.USED: "Somebody else has used the invitation. Tell who sent it to you, and ask for another.",
        Refusal.EXPIRED: "The invitation has expired. Ask for another.",
        Refusal.VOID: "The invitation is void, as somebody has tried to guess one. Ask for another.",
        Refusal.NOT_TAKEN: "The node does not take this one: it has blocked it, or has no room.",
    }
)


class PairingRefused(FedLoomError):
    """Somebody has no invitation that holds. `reason`: for counters."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(WORDS[reason])
        self.reason = reason


class TooManyInvitations(FedLoomError):
    """No further invitation can be made now."""


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Made:
    """An invitation that was made, and what has become of it."""

    expires: float
    used_by: KeyId | None = None
    is_void: bool = False


MadeByHash = Mapping[bytes, Made]
"""By the hashes of their tokens."""


class Invitations:
    """Those of one node. Times are monotonic seconds."""

    def __init__(
        self, before: MadeByHash | None = None, keep: Callable[[MadeByHash], None] | None = None
    ) -> None:
        """`before`: those of an earlier process. `keep` is called with all of them before a change counts,
        and prevents it by raising FedLoomError."""
        self._made: MadeByHash = dict(before or {})
        self._keep = keep or (lambda _made: None)
        self._wrong = 0
        self._refused: Counter[str] = Counter()

    @property
    def refused(self) -> Mapping[str, int]:
        """How many tokens were refused, by reason."""
        return MappingProxyType(dict(self._refused))

    def make(self, now: float) -> str:
        """A token that is good for one pairing until LIFETIME_S from now. Raises TooManyInvitations, and what
        keeping it raises."""
        # Of those that have expired, users hear so for some time.
        known = {key: made for key, made in self._made.items() if now < made.expires + LIFETIME_S}
        if sum(self._is_open(each, now) for each in known.values()) >= MAX_OPEN:
            raise TooManyInvitations(
                f"{MAX_OPEN} invitations are open already. Wait until one was used, or has expired."
            )
        token = new_token()
        self._decide({**known, _hash(token): Made(now + LIFETIME_S)})
        self._wrong = 0
        return token

    def withdraw(self, token: str, now: float) -> None:
        """Nobody comes by it any more. Raises what keeping that raises."""
        made = self._made.get(_hash(token))
        if made is not None:
            self._decide({**self._made, _hash(token): replace(made, expires=min(made.expires, now))})

    def use(self, token: str, key: KeyId, now: float) -> None:
        """Somebody with this key has come by a token, which is theirs from now on: they may come again, if
        the answer was lost. Raises PairingRefused, and what keeping it raises."""
        made = self._made.get(_hash(token))
        reason = self._objection(made, key, now)
        if made is None or reason is not None:
            self._refused[reason or Refusal.UNKNOWN] += 1
            raise PairingRefused(reason or Refusal.UNKNOWN)
        if made.used_by is None:
            self._decide({**self._made, _hash(token): replace(made, used_by=key)})

    def _decide(self, made: MadeByHash) -> None:
        self._keep(made)
        self._made = made

    def _objection(self, made: Made | None, key: KeyId, now: float) -> Refusal | None:
        if made is None:
            self._count_wrong()
            return Refusal.UNKNOWN
        if made.used_by not in (None, key):
            return Refusal.USED
        if made.is_void:
            return Refusal.VOID
        return Refusal.EXPIRED if now >= made.expires else None

    def _count_wrong(self) -> None:
        self._wrong += 1
        if self._wrong < MAX_WRONG or all(
            made.is_void or made.used_by is not None for made in self._made.values()
        ):
            return
        self._made = {key: replace(made, is_void=made.used_by is None) for key, made in self._made.items()}
        try:
            self._keep(self._made)
        except FedLoomError as error:
            log.warning("that the open invitations are void is forgotten at the next start: %s", error)

    def _is_open(self, made: Made, now: float) -> bool:
        return made.used_by is None and not made.is_void and now < made.expires


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
