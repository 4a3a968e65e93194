"""What the server makes of the replies of any Flower app, of which it knows no more than Flower's formats.

All finite numbers in metric and config records are taken; `known_metrics.py` says what those mean that have
a name that is known.
"""

from __future__ import annotations

from collections.abc import Iterator

from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord

from app.federation.rounds.built_in_replies import check_size, open_array
from app.federation.rounds.known_metrics import (
    MAX_NAME,
    examples_of,
    finite,
    loss_of,
    shown,
    train_loss_of,
)
from app.federation.rounds.results import ClientResult
from shared.errors import ReplyInvalid
from shared.results import records_of

OLDER_STYLE_STATUS = (
    "fitres.status",
    "evaluateres.status",
    "getparametersres.status",
    "getpropertiesres.status",
)
"""The config records in which the older style says that all went well: a code, which is no metric."""

NUMPY = "numpy.ndarray"
"""Flower's name for arrays in NumPy's file format. Those of an app's own formats it reads itself."""


def read_any_reply(kind: str, reply: Message) -> ClientResult:
    """What a reply to a message of this kind ("train", "evaluate", "query" ...) says.

    Raises ReplyInvalid as `check_any_reply` has it. Metrics are taken as they are: those that cannot be shown
    are left out.
    """
    check_any_reply(reply)
    metrics, left_out = shown(_numbers(reply))
    return ClientResult(
        num_examples=examples_of(metrics),
        train_loss=train_loss_of(kind, metrics),
        loss=loss_of(kind, metrics),
        metrics=metrics,
        left_out=left_out,
    )


def check_any_reply(reply: Message) -> None:
    """Raise ReplyInvalid unless every NumPy array can be read without executing anything.

    Which records and arrays belong in a reply only the app knows.
    """
    for record_name, record in records_of(reply.content, ArrayRecord).items():
        for name, array in record.items():
            if array.stype == NUMPY and not _is_placeholder(array):
                _check_array(f"{record_name}.{name}"[:MAX_NAME], array)


def _check_array(name: str, array: Array) -> None:
    header = open_array(name, array.data)
    if header.dtype.hasobject:
        raise ReplyInvalid(
            f"The update cannot be used: {name} holds Python objects, which are never unpickled."
        )
    check_size(name, header, array.data)


def _is_placeholder(array: Array) -> bool:
    """The older style sends an array of no bytes in place of an empty list of arrays."""
    return not array.data and not array.shape and not array.dtype


def _numbers(reply: Message) -> dict[str, float]:
    """All finite numbers by name; where a name comes again, with the record's name before it.

    A list is no number: of a histogram, or the losses of all epochs, no item stands for the whole.
    """
    numbers: dict[str, float] = {}
    for record_name, record in _records(reply):
        for key, value in record.items():
            if (number := finite(value)) is not None:
                numbers[f"{record_name}.{key}" if key in numbers else key] = number
    return numbers


def _records(reply: Message) -> Iterator[tuple[str, MetricRecord | ConfigRecord]]:
    """Those with metrics, first, and those with settings."""
    yield from records_of(reply.content, MetricRecord).items()
    for name, record in records_of(reply.content, ConfigRecord).items():
        if name not in OLDER_STYLE_STATUS:
            yield name, record
