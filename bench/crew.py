"""A benchmark's own processes: forked, like FedLoom's clients, from one that has PyTorch imported."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from app.demo.fleet import PRELOAD
from shared.errors import FedLoomError

STOP_TIMEOUT_S = 2.0


class BenchFailed(FedLoomError):
    """A benchmark could not be carried out, or what it compared was not comparable."""


class Crew:
    """Processes that end with the block that they are used in. A context manager.

    Each runs `target(pipe, *args)`, and ends by itself when the other end of its pipe is closed, which also
    happens when the benchmark's own process is killed.
    """

    def __init__(self, target: Callable[..., None], args: Sequence[tuple[Any, ...]]) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOAD)
        self._processes: list[BaseProcess] = []
        self.pipes: list[Connection] = []
        self._target = target
        self._args = args

    def __enter__(self) -> Crew:
        for number, args in enumerate(self._args, start=1):
            ours, theirs = self._context.Pipe()
            process = self._context.Process(
                target=_member, args=(self._target, theirs, args), name=f"bench-{number}", daemon=True
            )
            process.start()
            theirs.close()
            self._processes.append(process)
            self.pipes.append(ours)
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self.pipes:
            pipe.close()
        for process in self._processes:
            process.join(STOP_TIMEOUT_S)
            if process.is_alive():
                process.kill()
                process.join()

    def require_alive(self) -> None:
        """Raise BenchFailed when a process has ended."""
        if not all(process.is_alive() for process in self._processes):
            raise BenchFailed("A process of the benchmark ended unexpectedly; its message is above.")

    def tell(self, message: object) -> None:
        """Send a message to every process."""
        for pipe in self.pipes:
            pipe.send(message)

    def hear(self) -> list[Any]:
        """Wait for one message from each process. Raises BenchFailed when one has ended."""
        try:
            return [pipe.recv() for pipe in self.pipes]
        except EOFError:
            raise BenchFailed(
                "A process of the benchmark ended unexpectedly; its message is above."
            ) from None


def _member(target: Callable[..., None], pipe: Connection, args: tuple[Any, ...]) -> None:
    # Ctrl-C in a terminal reaches every process; the benchmark ends this one in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        target(pipe, *args)
    except EOFError:
        return  # the benchmark is over
