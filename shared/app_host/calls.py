"""Calls: what the app's threads ask FedLoom, and the thread that takes in the answers.

Each call has a number, by which its answers name it. FedLoom answers a call with `result` or `refused`; one
that opens an exchange is followed by a `reply` for each message, as they arrive, of which the last says that
it is, or, if some are missing, by `done`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from .channel import Channel, ChannelClosed, Frame
from .codec import decode
from .replies import Replies


class Refused(RuntimeError):
    """FedLoom does not do what the app asked for, and says why."""


@dataclass(frozen=True)
class _Call:
    is_exchange: bool
    result: Future[Frame] = field(default_factory=Future)
    replies: Replies = field(default_factory=Replies)

    def fail(self, error: BaseException) -> None:
        if not self.result.done():
            self.result.set_exception(error)
        self.replies.close(error)


class Calls:
    """Used from any thread. `on_end` is called when FedLoom needs the app no more, or has gone."""

    def __init__(self, channel: Channel, on_end: Callable[[], None]) -> None:
        self._channel = channel
        self._on_end = on_end
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._open: dict[int, _Call] = {}
        self._last = 0
        self._over: BaseException | None = None

    def start(self) -> None:
        """Take in answers from now on."""
        threading.Thread(target=self._receive, name="fedloom-receiver", daemon=True).start()

    def ask(self, kind: str, parts: Sequence[bytes] = (), **fields: Any) -> Frame:
        """What FedLoom answers. Raises what it refuses the call with."""
        return self._call(kind, parts, fields)[0]

    def tell(self, kind: str, **fields: Any) -> None:
        """Let FedLoom know; there is no answer."""
        self.require_own_process()
        self._channel.send(kind, **fields)

    def exchange(self, parts: Sequence[bytes], **fields: Any) -> tuple[Frame, Replies]:
        """The same, and the replies that are to come."""
        return self._call("exchange", parts, fields)

    def settle(self) -> None:
        """Wait until all exchanges are done that were opened before, by any thread."""
        with self._lock:
            exchanges = [call.replies for call in self._open.values() if call.is_exchange]
        for replies in exchanges:
            replies.wait()

    def _call(self, kind: str, parts: Sequence[bytes], fields: dict[str, Any]) -> tuple[Frame, Replies]:
        number, call = self._enter(is_exchange=kind == "exchange")
        try:
            # a model is asked for twice as a rule: evaluated in one round, and trained in the next
            self._channel.send(kind, parts, recurring=bool(parts), call=number, **fields)
            result = call.result.result()
        except BaseException:
            self._forget(number)
            raise
        if not call.is_exchange:
            self._forget(number)
        return result, call.replies

    def require_own_process(self) -> None:
        """Raise Refused in a child that the app has forked."""
        if os.getpid() != self._pid:
            raise Refused("The grid belongs to the ServerApp's own process, and this is a child of that.")

    def _enter(self, is_exchange: bool) -> tuple[int, _Call]:
        self.require_own_process()
        with self._lock:
            if self._over is not None:
                raise self._over
            self._last += 1
            call = self._open[self._last] = _Call(is_exchange)
            return self._last, call

    def _forget(self, number: int) -> None:
        with self._lock:
            self._open.pop(number, None)

    def _receive(self) -> None:
        """The edge of the thread: what ends it, whoever waits for an answer gets."""
        try:
            while (frame := self._channel.receive()).kind != "end":
                self._take(frame)
            self._close(ChannelClosed("the run is over"))
        except BaseException as error:  # noqa: BLE001 - above all one for want of memory
            self._close(error)
        self._on_end()

    def _take(self, frame: Frame) -> None:
        with self._lock:
            call = self._open.get(frame.fields["call"])
        if call is None:
            return  # whoever asked was interrupted
        match frame.kind:
            case "result":
                call.result.set_result(frame)
            case "refused":
                words = str(frame.fields["words"])
                call.result.set_exception(ValueError(words) if frame.fields["wrong"] else Refused(words))
            case "reply":
                call.replies.arrived(decode(frame.parts[0], frame.parts[1:]))
                if frame.fields["is_last"]:
                    self._is_done(frame.fields["call"], call)
            case "done":
                self._is_done(frame.fields["call"], call)

    def _is_done(self, number: int, call: _Call) -> None:
        self._forget(number)
        call.replies.close()

    def _close(self, error: BaseException) -> None:
        with self._lock:
            self._over = error
            waiting = list(self._open.values())
            self._open.clear()
        for call in waiting:
            call.fail(error)
