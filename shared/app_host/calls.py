"""Calls: what the app's threads ask FedLoom, and the thread that takes in the answers.

Each call has a number, by which its answers name it. FedLoom answers a call with `result` or `refused`; one
that opens an exchange is followed by a `reply` for each message, as they arrive, and `done`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from .batch import unpack
from .channel import Channel, ChannelClosed, Frame
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
        return self._call(kind, parts, fields, is_exchange=False)[0]

    def tell(self, kind: str, **fields: Any) -> None:
        """Let FedLoom know; there is no answer."""
        self._require_own_process()
        self._channel.send(kind, **fields)

    def exchange(self, parts: Sequence[bytes] = (), **fields: Any) -> tuple[Frame, Replies]:
        """The same, and the replies that are to come."""
        return self._call("exchange", parts, fields, is_exchange=True)

    def settle(self) -> None:
        """Wait until all exchanges are done that were opened before, by any thread."""
        with self._lock:
            exchanges = [call.replies for call in self._open.values() if call.is_exchange]
        for replies in exchanges:
            replies.wait()

    def _call(
        self, kind: str, parts: Sequence[bytes], fields: dict[str, Any], *, is_exchange: bool
    ) -> tuple[Frame, Replies]:
        number, call = self._enter(is_exchange)
        try:
            self._channel.send(kind, parts, call=number, **fields)
            result = call.result.result()
        except BaseException:
            self._forget(number)
            raise
        if not is_exchange:
            self._forget(number)
        return result, call.replies

    def _require_own_process(self) -> None:
        if os.getpid() != self._pid:
            raise Refused("The grid belongs to the ServerApp's own process, and this is a child of that.")

    def _enter(self, is_exchange: bool) -> tuple[int, _Call]:
        self._require_own_process()
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
                for reply in unpack(frame.fields["layout"], frame.parts):
                    call.replies.arrived(reply)
            case "done":
                self._forget(frame.fields["call"])
                call.replies.close()

    def _close(self, error: BaseException) -> None:
        with self._lock:
            self._over = error
            waiting = list(self._open.values())
            self._open.clear()
        for call in waiting:
            call.fail(error)
