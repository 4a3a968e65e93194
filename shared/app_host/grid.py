"""HostGrid: Flower's Grid in the app's process. Its messages go through FedLoom, which has the clients."""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Iterable, Sequence
from itertools import islice

from flwr.app import Message, RecordDict
from flwr.serverapp import Grid
from flwr.supercore.run import Run

from .batch import pack
from .calls import Calls
from .codec import decode
from .replies import Replies

MAX_WAIT_S = 1e9
"""Nobody waits for more seconds."""

FRESH_S = 0.05
"""So old may be what is known of who is there: strategies ask twice in a row."""

NOBODY_ASKED = (-math.inf, ())


class HostGrid(Grid):
    """The grid of one run, as Flower's own grids behave, but for `send_and_receive`, which does not wait: it
    returns a list that fills (`Replies`).

    For the app all happens in the same order all the same: a thread that sends again first waits for what it
    has sent before.
    """

    def __init__(self, calls: Calls, run_id: int) -> None:
        self._calls = calls
        self._run = Run.create_empty(run_id)
        self._of_thread = threading.local()
        self._who_is_there: tuple[float, tuple[int, ...]] = NOBODY_ASKED
        """When FedLoom has last said it, on the monotonic clock; forgotten when something is sent."""

    def set_run(self, run: Run) -> None:
        """Part of Flower's interface; a HostGrid belongs to one run from the start."""
        if not isinstance(run, Run):
            raise TypeError(f"`run` must be an instance of Run, got {type(run).__name__}")
        self._run = run

    @property
    def run(self) -> Run:
        """Flower's description of the run; a copy."""
        return Run(**vars(self._run))

    def create_message(
        self,
        content: RecordDict,
        message_type: str,
        dst_node_id: int,
        group_id: str,
        ttl: float | None = None,
    ) -> Message:
        """A new message from this run's ServerApp."""
        return Message(content, dst_node_id, message_type, ttl=ttl, group_id=group_id)

    def get_node_ids(self) -> list[int]:
        """The node ids of the run's connected clients; waits until the run has enough of them, unless it had
        just now."""
        self._calls.require_own_process()
        asked_at, node_ids = self._who_is_there
        if time.monotonic() - asked_at > FRESH_S:
            node_ids = tuple(map(int, self._calls.ask("node_ids").fields["node_ids"]))
            self._who_is_there = time.monotonic(), node_ids
        return list(node_ids)

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        """Send messages; returns their ids. Raises ValueError, and sends none, if one cannot be sent."""
        self.settle()
        messages = _checked(messages)
        if not messages:
            return []
        self._who_is_there = NOBODY_ASKED
        layout, parts = pack(messages)
        return _identified(messages, self._calls.ask("push", parts, layout=layout).fields["message_ids"])

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        """The replies that have arrived since the last call to any of these messages; does not wait."""
        answer = self._calls.ask("pull", message_ids=[str(message_id) for message_id in message_ids])
        parts = iter(answer.parts)
        replies = [[*islice(parts, length)] for length in answer.fields["replies"]]
        return [decode(skeleton, arrays) for skeleton, *arrays in replies]

    def send_and_receive(self, messages: Iterable[Message], *, timeout: float | None = None) -> Replies:
        """Send messages at once; returns a list of their replies, which fills as they arrive.

        After `timeout` seconds (None: never) it is complete without those that are missing. Raises
        ValueError, and sends none, if a message cannot be sent.
        """
        self.settle()
        messages = _checked(messages)
        if not messages:
            replies = Replies()
            replies.close()
            return replies
        self._who_is_there = NOBODY_ASKED
        layout, parts = pack(messages)
        answer, replies = self._calls.exchange(parts, layout=layout, timeout=_seconds(timeout))
        _identified(messages, answer.fields["message_ids"])
        self._of_thread.sent = weakref.ref(replies)  # which lives on until it is complete
        return replies

    def settle(self) -> None:
        """Wait for the replies to what this thread has sent, as it would have with Flower's grids."""
        sent: weakref.ref[Replies] | None = getattr(self._of_thread, "sent", None)
        if sent is not None and (replies := sent()) is not None:
            replies.wait()


def _seconds(timeout: float | None) -> float | None:
    """A timeout as it can travel: one that is no number is over at once, as with Flower's grids."""
    if timeout is None or timeout > MAX_WAIT_S:
        return None
    return max(float(timeout), 0.0) if not math.isnan(timeout) else 0.0


def _checked(messages: Iterable[Message]) -> list[Message]:
    messages = list(messages)
    for message in messages:
        if not isinstance(message, Message):
            raise TypeError(f"A grid sends Messages, and this is a {type(message).__name__}.")
        if not message.has_content() or message.has_error():
            raise ValueError(f"A message to node {message.metadata.dst_node_id} has no content.")
        if not message.metadata.ttl > 0:
            raise ValueError(
                f"A message to node {message.metadata.dst_node_id} has a ttl of {message.metadata.ttl} "
                "seconds: it would be too old at once."
            )
    return messages


def _identified(messages: Sequence[Message], message_ids: Sequence[str]) -> list[str]:
    """Give the app's messages the ids under which they were sent."""
    for message, message_id in zip(messages, message_ids, strict=True):
        message.metadata.__dict__["_message_id"] = message_id
    return list(message_ids)
