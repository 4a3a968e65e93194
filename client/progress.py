"""How code inside a ClientApp reports how far it is, and learns that it should stop.

The runtime installs a reporter around each message. Elsewhere, under Flower's own engines for example, there
is none and `report` does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from shared.training import BatchProgress

Reporter = Callable[[BatchProgress], None]

_reporter: ContextVar[Reporter | None] = ContextVar("reporter", default=None)


def report(progress: BatchProgress) -> None:
    """Report one finished batch. Raises shared.errors.Cancelled when the task is no longer wanted."""
    reporter = _reporter.get()
    if reporter is not None:
        reporter(progress)


@contextmanager
def reporting_to(reporter: Reporter) -> Iterator[None]:
    """Within this block, and this thread, `report` calls `reporter`."""
    token = _reporter.set(reporter)
    try:
        yield
    finally:
        _reporter.reset(token)
