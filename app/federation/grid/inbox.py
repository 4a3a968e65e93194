"""The inbox of a run's grid: what other threads put there, for whichever thread of the run comes first."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from app.federation.grid.exchange import Exchange
from app.federation.link.task import Judged
from app.records import Verdict
from shared.payload import Payload


@dataclass(frozen=True)
class Reply:
    """`payload` belongs to whoever takes it out, and is released there; who sent it is `judged` there."""

    message_id: str
    payload: Payload
    judged: Judged


@dataclass(frozen=True)
class Failed:
    """`verdict`: of the reply that was refused, or of the site that declined, which did so by a `rule`; None:
    there is none."""

    message_id: str
    reason: str
    verdict: Verdict | None
    rule: str = ""


@dataclass(frozen=True)
class Away:
    message_id: str
    reason: str


@dataclass(frozen=True)
class Back:
    message_id: str


@dataclass(frozen=True)
class Stop:
    reason: str
    interrupts: bool


@dataclass(frozen=True)
class Fail:
    """What carries the messages cannot go on."""

    error: Exception


@dataclass(frozen=True)
class Pause:
    paused: bool


@dataclass(frozen=True)
class MembershipChanged:
    pass


@dataclass(frozen=True)
class GoOn:
    """Without the replies that these still wait for."""

    exchanges: tuple[Exchange, ...]


NOT_USED = "It came just as the run went on without it."

Command = Stop | Fail | Pause | MembershipChanged | GoOn
FromClients = Reply | Failed | Away | Back
Item = FromClients | Command


class Inbox:
    """Two queues, of which commands go first. Putting something in never waits for whoever reads."""

    def __init__(self) -> None:
        lock = threading.Lock()
        self._news = threading.Condition(lock)
        self._commands_news = threading.Condition(lock)
        """For those who wait for commands alone, and need not wake for each reply."""
        self._commands: deque[Command] = deque()
        self._others: deque[Item] = deque()
        self._version = 0
        self._closed = False

    @property
    def version(self) -> int:
        """Grows whenever something was put in, or was handled. See `wait`."""
        return self._version

    def put(self, item: Item) -> None:
        """Add an item."""
        with self._news:
            is_closed = self._closed
            if isinstance(item, Command) and not is_closed:
                self._commands.append(item)
            elif not is_closed:
                self._others.append(item)
            self._tell_of(item)
        if is_closed:
            _let_go(item)

    def close(self) -> None:
        """Nobody reads any more: let go of what is here, and of what is put in from now on."""
        with self._news:
            self._closed = True
            left = tuple(self._others)
            self._others.clear()
            self._commands.clear()
            self._version += 1
            self._news.notify_all()
            self._commands_news.notify_all()
        for item in left:  # without the lock: it is told in the audit log, where others wait for this one
            _let_go(item)

    def handled(self, item: Item) -> None:
        """An item that was taken has had its effect: have the other readers look for it."""
        with self._news:
            self._tell_of(item)

    def wait(self, seen: int, timeout_s: float | None, *, commands_only: bool = False) -> None:
        """Wait for an item while `version` is still what the caller has `seen`; at most `timeout_s`, or for
        ever (None). `commands_only`: and while only the others change."""
        news = self._commands_news if commands_only else self._news
        with news:
            news.wait_for(
                lambda: self._version != seen or self._commands or (self._others and not commands_only),
                timeout_s,
            )

    def take(self, *, commands_only: bool = False) -> Item | None:
        """The next item, if there is one."""
        with self._news:
            if self._commands:
                return self._commands.popleft()
            return self._others.popleft() if self._others and not commands_only else None

    def _tell_of(self, item: Item) -> None:
        self._version += 1
        self._news.notify_all()
        if isinstance(item, Command):
            self._commands_news.notify_all()


def _let_go(item: Item) -> None:
    if isinstance(item, Reply):
        item.payload.release()
        item.judged(Verdict.LATE, NOT_USED)
