"""Work: a message to execute, and how its progress is reported."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from client.pause_gate import PauseGate
from client.sealing import Origin
from shared.app_host.serialised import Serialised
from shared.errors import Cancelled
from shared.payload import Payload
from shared.proto.link_pb2 import LabelCounts, Progress

if TYPE_CHECKING:  # which brings PyTorch
    from shared.training import BatchProgress

PROGRESS_INTERVAL_S = 0.2


@dataclass(frozen=True)
class Work:
    """A message to execute, which is from the server. Its payload is released when it is over.

    `reply` (with the message's id and its reply), or in its place `fail` (with a reason) or `decline` (with a
    rule of the site's policy, and words), and before that `progress`, `labels` and `held` (with the reason
    why it is not begun, or none once it is) are called in the runtime's thread; once `cancelled` is set, only
    `released` is, when the runtime no longer works on it.
    """

    message_id: str
    payload: Payload
    reply: Callable[[str, Serialised], None]
    fail: Callable[[str, str], None]
    progress: Callable[[Progress], None]
    released: Callable[[str], None]
    labels: Callable[[LabelCounts], None]
    decline: Callable[[str, str, str], None]
    held: Callable[[str, str], None]
    cohort: int = 0
    """How many clients are asked the same, by the server's word; 0: not known."""
    origin: Origin | None = None
    """By which it was verified; None: nobody keeps that."""
    cancelled: threading.Event = field(default_factory=threading.Event)


class Reporter:
    """Passes on a few reports a second, waits at the gate, and raises on cancellation."""

    def __init__(self, work: Work, gate: PauseGate) -> None:
        self._work = work
        self._gate = gate
        self._started = time.monotonic()
        self._next_at = self._started + PROGRESS_INTERVAL_S
        self._loss: float | None = None

    def __call__(self, batch: BatchProgress) -> None:
        """Report a batch. Raises Cancelled when the message is no longer wanted."""
        self._gate.wait(self._work.cancelled)
        if self._work.cancelled.is_set():
            raise Cancelled("it is no longer wanted")
        self._loss = self._loss if batch.loss is None else batch.loss
        now = time.monotonic()
        if now < self._next_at:
            return
        self._next_at = now + PROGRESS_INTERVAL_S
        self._work.progress(
            Progress(
                message_id=self._work.message_id,
                done=batch.done,
                total=batch.total,
                examples_per_s=batch.examples / (now - self._started),
                loss=self._loss,
            )
        )
