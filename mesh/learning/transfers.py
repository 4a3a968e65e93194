"""Transfers: what was sent and is not known to have been taken, and what has become of what came.

A message can be confirmed and its share refused, or come without being confirmed. Until its receiver has
said what became of it, a share is open at its sender, who asks by its number and does neither spend nor
forget it. There is at most one open transfer to a peer, so that of each sender the newest number is enough
to remember; once it is decided it stays decided: whoever is asked for a share that has not come answers that
it is void, and takes it no more when it comes after all. So no mass is lost by a message that fails, and none
is there twice.

One way out is left: a peer that is never heard of again may have taken a share or not. Then it is written
off, and mass is missing rather than doubled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from mesh.learning.push_sum import Portion
from mesh.node import Content
from shared.security.key_id import KeyId

SESSIONS_OF_A_SENDER = 8
"""Processes of one peer whose shares are remembered, the newest."""


class Outcome(StrEnum):
    """What became of a share: taken, or why not."""

    TAKEN = "taken"
    VOID = "void"
    """it had not come when it was asked for, and will not be taken"""
    GONE = "gone"
    """the process that it was meant for has ended: nobody knows"""
    LEAVING = "leaving"
    """the peer takes part no longer"""
    BUSY = "busy"
    """too many shares wait at the peer"""
    OTHER_BASE = "other-base"
    """the peer learns from another model"""
    MASS = "mass"
    """no mass, or more than all who take part have"""
    SIZE = "size"
    """not as many bytes as the model has"""
    UNAVAILABLE = "unavailable"
    """the model's bytes could not be had"""
    UNREADABLE = "unreadable"
    """the bytes are no model"""
    ARRAYS = "arrays"
    """names, shapes or dtypes of the arrays are not those of the model"""
    NOT_FINITE = "not-finite"
    """an array has an infinite value, or one that is no number"""
    NORM = "norm"
    """the model is much larger than the receiver's own"""


FAULTS = frozenset(
    {
        Outcome.MASS,
        Outcome.SIZE,
        Outcome.UNAVAILABLE,
        Outcome.UNREADABLE,
        Outcome.ARRAYS,
        Outcome.NOT_FINITE,
        Outcome.NORM,
    }
)
"""Of the share itself; the others say how it was with its receiver."""


@dataclass(frozen=True)
class Transfer:
    """One share on its way. `session`: the process of the receiver that it is meant for."""

    number: int
    to: KeyId
    session: str
    portion: Portion
    content: Content
    ask_at: float
    """When to ask what became of it, in monotonic seconds."""


class Outgoing:
    """The open transfers of one node."""

    def __init__(self, answer_s: float) -> None:
        """`answer_s`: how long an answer may take before it is asked for."""
        self._answer_s = answer_s
        self._numbers = 0
        self._open: dict[KeyId, Transfer] = {}

    def __iter__(self) -> Iterator[Transfer]:
        return iter(tuple(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)

    @property
    def receivers(self) -> frozenset[KeyId]:
        """Those to whom nothing else goes until they have answered."""
        return frozenset(self._open)

    def begin(self, to: KeyId, session: str, portion: Portion, content: Content, now: float) -> Transfer:
        """Number a share that is about to be sent. There is none open to this peer."""
        if to in self._open:
            raise ValueError(f"a transfer to {to.short} is open already")
        self._numbers += 1
        transfer = Transfer(self._numbers, to, session, portion, content, now + self._answer_s)
        self._open[to] = transfer
        return transfer

    def doubt(self, transfer: Transfer, now: float) -> None:
        """It was not confirmed: ask as soon as possible."""
        if (current := self._current(transfer.to, transfer.number)) is not None:
            self._open[transfer.to] = replace(current, ask_at=now)

    def to_ask(self, is_reachable: Callable[[KeyId], bool], now: float) -> list[Transfer]:
        """Those whose answer is overdue, and whose receiver can be asked. They are due again later."""
        due = [each for each in self._open.values() if each.ask_at <= now and is_reachable(each.to)]
        for transfer in due:
            self._open[transfer.to] = replace(transfer, ask_at=now + self._answer_s)
        return due

    def answered(self, by: KeyId, number: int, outcome: Outcome) -> Transfer | None:
        """Close a transfer; None: this is no answer to one that is open. What was not taken, and is not gone,
        is its sender's again."""
        return self._open.pop(by) if self._current(by, number) is not None else None

    def still_needs(self, content: Content) -> bool:
        """Whether a receiver may yet ask for this content."""
        return any(transfer.content == content for transfer in self._open.values())

    def _current(self, to: KeyId, number: int) -> Transfer | None:
        transfer = self._open.get(to)
        return transfer if transfer is not None and transfer.number == number else None


@dataclass(frozen=True)
class _Newest:
    number: int
    outcome: Outcome | None
    """None: it is being looked at."""


class Incoming:
    """What this node has decided of others' shares."""

    def __init__(self) -> None:
        self._newest: dict[KeyId, dict[str, _Newest]] = {}

    def arrives(self, sender: KeyId, session: str, number: int) -> bool:
        """Whether a share is new and now looked at: it has neither come nor been asked for before, nor has a
        newer one."""
        if self._known(sender, session, number) is not None:
            return False
        self._enter(sender, session, _Newest(number, None))
        return True

    def decide(self, sender: KeyId, session: str, number: int, outcome: Outcome) -> bool:
        """What becomes of a share that is looked at. Whether it still was: else nothing may be taken."""
        known = self._known(sender, session, number)
        if known is None or known.number != number or known.outcome is not None:
            return False
        self._enter(sender, session, _Newest(number, outcome))
        return True

    def asked(self, sender: KeyId, session: str, number: int) -> Outcome | None:
        """The answer to who asks for a share; None: it is being looked at, the answer will come."""
        known = self._known(sender, session, number)
        if known is None:
            self._enter(sender, session, _Newest(number, Outcome.VOID))
            return Outcome.VOID
        if known.number > number:
            return Outcome.GONE
        return known.outcome

    def in_work(self) -> Iterable[tuple[KeyId, str, int]]:
        """Shares that are looked at: sender, session, number."""
        return [
            (sender, session, newest.number)
            for sender, sessions in self._newest.items()
            for session, newest in sessions.items()
            if newest.outcome is None
        ]

    def _known(self, sender: KeyId, session: str, number: int) -> _Newest | None:
        newest = self._newest.get(sender, {}).get(session)
        return newest if newest is not None and newest.number >= number else None

    def _enter(self, sender: KeyId, session: str, newest: _Newest) -> None:
        sessions = self._newest.setdefault(sender, {})
        sessions.pop(session, None)
        sessions[session] = newest
        while len(sessions) > SESSIONS_OF_A_SENDER:
            sessions.pop(next(iter(sessions)))
