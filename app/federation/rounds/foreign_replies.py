"""What the server makes of the replies of any Flower app, of which it knows no more than Flower's formats.

All finite numbers in metric and config records are taken; `known_metrics.py` says what those mean that have
a name that is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flwr.app import ConfigRecord, Message, MetricRecord

from app.federation.grid.codec import Arrived
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
from shared.app_host.channel import Pieces
from shared.app_host.codec import ArrayPlace
from shared.errors import ReplyInvalid
from shared.flower import decode_unopened
from shared.npy import MAX_BEGINNING
from shared.payload import Payload
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

    Metrics are taken as they are: those that cannot be shown are left out.
    """
    metrics, left_out = shown(_numbers(reply))
    return ClientResult(
        num_examples=examples_of(metrics),
        train_loss=train_loss_of(kind, metrics),
        loss=loss_of(kind, metrics),
        metrics=metrics,
        left_out=left_out,
    )


def open_any_reply(payload: Payload) -> Arrived:
    """A reply as it is passed on: only the app opens its arrays. Raises WireError, and ReplyInvalid unless
    `check_arrays` finds nothing."""
    message, places = decode_unopened(payload)
    data = [Pieces(pieces) for pieces in payload.array_pieces()]
    check_arrays(places, data)
    return Arrived(message, [payload.skeleton(), *data])


def check_arrays(places: Iterable[ArrayPlace], data: Iterable[Pieces]) -> None:
    """Raise ReplyInvalid unless every NumPy array can be read without executing anything.

    Which records and arrays belong in a reply only the app knows.
    """
    for place, pieces in zip(places, data, strict=True):
        if place.stype == NUMPY and not _is_placeholder(place, pieces):
            _check_array(f"{place.record}.{place.name}"[:MAX_NAME], pieces)


def _check_array(name: str, data: Pieces) -> None:
    header = open_array(name, data.beginning(MAX_BEGINNING))
    if header.dtype.hasobject:
        raise ReplyInvalid(
            f"The update cannot be used: {name} holds Python objects, which are never unpickled."
        )
    check_size(name, header, len(data))


def _is_placeholder(place: ArrayPlace, data: Pieces) -> bool:
    """The older style sends an array of no bytes in place of an empty list of arrays."""
    return not data and not place.shape and not place.dtype


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
