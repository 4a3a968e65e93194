"""RuntimeTrainer: has another trainer work in the runtime's thread, which the client's model belongs to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import TypeVar

from mesh.learning.arrays import Arrays
from mesh.learning.trainer import Evaluated, Trained, Trainer
from shared.errors import Cancelled

LOOK_S = 0.1
"""How often one that waits for its turn looks whether it is still to be done."""

T = TypeVar("T")


class RuntimeTrainer:
    """As `mesh.learning.trainer.Trainer` has it."""

    def __init__(self, trainer: Trainer, queue: Callable[[Callable[[], None]], None]) -> None:
        """`queue` has something called in the runtime's thread, after all that was queued before."""
        self._trainer = trainer
        self._queue = queue
        self._is_over = threading.Event()
        self.known_samples = 0
        """As `samples` has said."""

    def give_up(self) -> None:
        """Nothing more is to be done; what is done now ends by itself, soon."""
        self._is_over.set()

    def samples(self) -> int:
        """As Trainer has it. Raises Cancelled once this was given up."""
        self.known_samples = self._call(self._trainer.samples)
        return self.known_samples

    def train(self, model: Arrays, mesh_round: int, should_stop: Callable[[], bool]) -> Trained:
        """As Trainer has it."""

        def stops() -> bool:
            return self._is_over.is_set() or should_stop()

        return self._call(lambda: self._trainer.train(model, mesh_round, stops))

    def evaluate(self, model: Arrays) -> Evaluated | None:
        """As Trainer has it; None also once this was given up."""
        try:
            return self._call(lambda: self._trainer.evaluate(model))
        except Cancelled:
            return None

    def _call(self, work: Callable[[], T]) -> T:
        job: Future[T] = Future()
        self._queue(lambda: _do(job, work))
        while not job.done():
            try:
                return job.result(LOOK_S)
            except NotYet:
                if self._is_over.is_set() and job.cancel():
                    raise Cancelled("The client learns without the server no longer.") from None
        return job.result()


def _do(job: Future[T], work: Callable[[], T]) -> None:
    if not job.set_running_or_notify_cancel():
        return
    try:
        job.set_result(work())
    except BaseException as error:  # noqa: BLE001 - raised where it is waited for
        job.set_exception(error)
