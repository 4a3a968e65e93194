"""GridCalls: does on the run's grid what an app asks from its own process.

What comes from there is parsed once, here; the app is not trusted with more than its own run.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any

from flwr.app import Message
from pydantic import BaseModel, ConfigDict, Field

from app.federation.grid.codec import Arrived
from app.federation.grid.link_grid import LinkGrid
from app.federation.rounds.results import AppResults
from shared.app_host.batch import Outgoing, unpack
from shared.app_host.channel import Frame, Part
from shared.app_host.codec import encode
from shared.errors import AppDied, RunStopped, WireError
from shared.flower import message_expired
from shared.text import printable

MAX_CALLS = 1_000
"""That an app may have open at once: each keeps a thread busy."""

MAX_NAME = 200
"""Characters of a name that an app gives to a number, or to a kind of messages."""

MAX_NUMBER = 2**53

MAX_NUMBERS = 10_000
"""Of one result. The app's process tells fewer."""

MAX_WAIT_S = 1e9
"""Nobody waits for more seconds."""

Send = Callable[..., None]
"""`send(kind, parts, **fields)`: sends a frame, and may wait for the other side. Raises AppDied."""


class _Fields(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


class _Asked(_Fields):
    call: int


class _Messages(_Asked):
    layout: Any
    timeout: float | None = Field(default=None, ge=0, le=MAX_WAIT_S)


class _Pull(_Asked):
    message_ids: list[str]


class _Computed(_Fields):
    stage: str = Field(default="", max_length=MAX_NAME)
    number: int | None = Field(ge=-MAX_NUMBER, le=MAX_NUMBER)
    metrics: dict[str, float] = Field(max_length=MAX_NUMBERS)


class GridCalls:
    """Each call is served in a thread that has nothing else to do: any of them may wait.

    What the app tells is taken at once, so in its place among the calls. `failed` takes an error that is not
    the app's.
    """

    def __init__(
        self, grid: LinkGrid, results: AppResults, send: Send, failed: Callable[[BaseException], None]
    ) -> None:
        self._grid = grid
        self._results = results
        self._send = send
        self._failed = failed
        self._calls: queue.SimpleQueue[tuple[int, Callable[[], None]] | None] = queue.SimpleQueue()
        self._slots = threading.Semaphore(MAX_CALLS)
        self._idle = threading.Semaphore(0)
        self._pushed: dict[str, Message] = {}

    def serve(self, frame: Frame) -> None:
        """Take what a frame tells, or begin to do what it asks for. Raises ValueError for one that does
        neither in a way that is known."""
        if frame.kind in ("evaluated", "aggregated"):
            computed = _Computed.model_validate(frame.fields)
            self._carefully(lambda: self._computed(frame.kind, computed))
            return
        asked, work = self._parsed(frame)
        if not self._slots.acquire(blocking=False):
            words = f"More than {MAX_CALLS:,} calls of the grid at once are not served."
            self._send("refused", call=asked.call, wrong=False, words=words)
            return
        self._calls.put((asked.call, work))
        if not self._idle.acquire(blocking=False):
            threading.Thread(target=self._serve_calls, name="app-call", daemon=True).start()

    def close(self) -> None:
        """No more comes: the threads end when they have nothing to do."""
        self._calls.put(None)

    def _parsed(self, frame: Frame) -> tuple[_Asked, Callable[[], None]]:
        fields = frame.fields
        match frame.kind:
            case "node_ids":
                asked = _Asked.model_validate(fields)
                return asked, lambda: self._node_ids(asked.call)
            case "push":
                sent = _Messages.model_validate(fields)
                return sent, lambda: self._push(sent.call, unpack(sent.layout, frame.parts))
            case "exchange":
                sent = _Messages.model_validate(fields)
                return sent, lambda: self._exchange(sent.call, unpack(sent.layout, frame.parts), sent.timeout)
            case "pull":
                pull = _Pull.model_validate(fields)
                return pull, lambda: self._pull(pull.call, pull.message_ids)
        raise ValueError(f"{frame.kind[:MAX_NAME]!r} is nothing that an app can ask for")

    def _serve_calls(self) -> None:
        while (asked := self._calls.get()) is not None:
            self._carefully(partial(self._answer, *asked))
            del asked  # whose messages may be large
            self._slots.release()
            self._idle.release()
        self._calls.put(None)  # for the next

    def _answer(self, call: int, work: Callable[[], None]) -> None:
        """An app that asked for what cannot be is told so."""
        try:
            work()
        except (ValueError, WireError) as error:
            self._send("refused", call=call, wrong=isinstance(error, ValueError), words=str(error))

    def _carefully(self, work: Callable[[], None]) -> None:
        """What it raises is nobody's failure once the process goes, and else the run's."""
        try:
            work()
        except (RunStopped, AppDied):
            pass  # the process is about to end; or it has ended, and whoever receives from it says so
        except BaseException as error:  # noqa: BLE001 - it ends the run, which says so
            self._failed(error)

    def _node_ids(self, call: int) -> None:
        self._send("result", call=call, node_ids=self._grid.get_node_ids())

    def _push(self, call: int, messages: list[Outgoing]) -> None:
        message_ids = self._grid.push(messages)
        self._pushed.update(
            {message_id: each.message for message_id, each in zip(message_ids, messages, strict=True)}
        )
        self._send("result", call=call, message_ids=message_ids)

    def _pull(self, call: int, message_ids: Sequence[str]) -> None:
        replies = self._grid.pull(message_ids)
        for reply in replies:
            self._pushed.pop(reply.message.metadata.reply_to_message_id, None)
        for message_id in dict.fromkeys(message_ids):
            message = self._pushed.get(message_id)
            if message is not None and _seconds_left([message]) <= 0:
                del self._pushed[message_id]
                self._grid.give_up(message_id, "its time to live is over")
                replies.append(Arrived(message_expired(message)))
        as_parts = [_parts(reply) for reply in replies]
        self._send("result", [*chain(*as_parts)], call=call, replies=[len(parts) for parts in as_parts])

    def _exchange(self, call: int, outgoing: list[Outgoing], timeout: float | None) -> None:
        """What arrives is sent on at once, whether or not the app looks at it."""
        messages = [each.message for each in outgoing]
        left_s = _seconds_left(messages)
        expires = timeout is None or left_s < timeout
        replies = self._grid.exchange(outgoing, left_s if expires else timeout)
        waiting = {message.metadata.message_id: message for message in messages}
        self._send("result", call=call, message_ids=list(waiting))
        for reply in replies:
            del waiting[reply.message.metadata.reply_to_message_id]
            self._reply(call, reply, is_last=not waiting)
        if not waiting:
            return
        if expires and _seconds_left(messages) <= 0:
            for message in waiting.values():
                self._reply(call, Arrived(message_expired(message)), is_last=False)
        self._send("done", call=call)

    def _reply(self, call: int, reply: Arrived, *, is_last: bool) -> None:
        self._send("reply", _parts(reply), call=call, is_last=is_last)

    def _computed(self, what: str, computed: _Computed) -> None:
        metrics = {printable(name)[:MAX_NAME]: value for name, value in computed.metrics.items()}
        if what == "evaluated":
            self._grid.in_turn(lambda: self._results.app_evaluated(computed.number, metrics))
        else:
            self._grid.in_turn(lambda: self._results.app_aggregated(computed.stage, computed.number, metrics))


def _parts(reply: Arrived) -> Sequence[Part]:
    """A reply as the bytes that came, or an error that was made here: its skeleton, and its arrays' data."""
    return encode(reply.message).parts if reply.parts is None else reply.parts


def _seconds_left(messages: Sequence[Message]) -> float:
    """Until the last of them has outlived its time to live, as its sender has set it."""
    ends = max(message.metadata.created_at + message.metadata.ttl for message in messages)
    return min(max(ends - time.time(), 0.0), MAX_WAIT_S)
