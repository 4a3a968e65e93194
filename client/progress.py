"""How code inside a ClientApp reports how far it is and what data it has, and learns that it should stop.

The runtime installs reporters around each message. Elsewhere, under Flower's own engines for example, there
are none and `report` and `report_labels` do nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # which brings PyTorch
    from shared.training import BatchProgress

Reporter = Callable[["BatchProgress"], None]
LabelReporter = Callable[[tuple[int, ...]], None]

_reporter: ContextVar[Reporter | None] = ContextVar("reporter", default=None)
_label_reporter: ContextVar[LabelReporter | None] = ContextVar("label_reporter", default=None)


def report(progress: BatchProgress) -> None:
    """Report one finished batch. Raises shared.errors.Cancelled when the task is no longer wanted."""
    reporter = _reporter.get()
    if reporter is not None:
        reporter(progress)


def report_labels(counts: tuple[int, ...]) -> None:
    """Report how many training samples this client has of each label, by label: counts, and nothing else."""
    reporter = _label_reporter.get()
    if reporter is not None:
        reporter(counts)


@contextmanager
def reporting_to(reporter: Reporter, labels: LabelReporter | None = None) -> Iterator[None]:
    """Within this block, and this thread, `report` calls `reporter` and `report_labels` calls `labels`."""
    token, label_token = _reporter.set(reporter), _label_reporter.set(labels)
    try:
        yield
    finally:
        _reporter.reset(token)
        _label_reporter.reset(label_token)
