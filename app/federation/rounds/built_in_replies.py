"""Checks the built-in ClientApp's replies before anything is done with them: a client may be wrong."""

from __future__ import annotations

import numpy as np
from flwr.app import Array, ArrayRecord, Message

from app.federation.grid.instruction import Instruction
from shared.errors import ReplyInvalid
from shared.npy import Header, has_right_size, read_header
from shared.results import EvaluateMetrics, TrainMetrics, records_of

RECORDS_OF = {"train": {"arrays", "metrics"}, "evaluate": {"metrics"}}
"""The names of the records in a reply, by the kind of message. Strategies want the same from every client."""


def check_reply(instruction: Instruction, reply: Message) -> None:
    """Raise ReplyInvalid unless the metrics are sane and, after training, the arrays fit the model sent."""
    wanted = RECORDS_OF.get(instruction.kind)
    if wanted is None:
        return
    if (got := set(reply.content.keys())) != wanted:
        raise ReplyInvalid(f"The reply has the records {sorted(got)}, not {sorted(wanted)}."[:1000])
    if instruction.kind == "evaluate":
        EvaluateMetrics.from_reply(reply)
        return
    TrainMetrics.from_reply(reply)
    arrays = reply.content["arrays"]
    if not isinstance(arrays, ArrayRecord):
        raise ReplyInvalid("The reply's record 'arrays' holds no arrays.")
    (sent,) = records_of(instruction.message.content, ArrayRecord).values()
    _check_update(sent, arrays)


def _check_update(sent: ArrayRecord, got: ArrayRecord) -> None:
    """The same names, shapes and dtypes as in the model that was sent, and every value finite."""
    if missing := sorted(sent.keys() - got.keys()):
        raise ReplyInvalid(f"The update does not fit the model: {missing[0]} is missing.")
    if unknown := sorted(got.keys() - sent.keys()):
        raise ReplyInvalid(f"The update does not fit the model: there is no {unknown[0][:100]!r} in it.")
    for name, array in sent.items():
        _check_array(name, array, got[name])


def _check_array(name: str, sent: Array, got: Array) -> None:
    """Judges by the bytes, which count in the end, and allocates nothing on their word."""
    if got.stype != sent.stype:
        raise ReplyInvalid(f"The update cannot be read: {name} is not a NumPy array.")
    header = open_array(name, got.data)
    if header.shape != sent.shape:
        raise ReplyInvalid(
            f"The update does not fit the model: {name} has shape {header.shape}, not {sent.shape}."
        )
    if str(header.dtype) != sent.dtype:
        raise ReplyInvalid(
            f"The update does not fit the model: {name} has dtype {header.dtype}, not {sent.dtype}."
        )
    check_size(name, header, got.data)
    if not np.isfinite(np.frombuffer(got.data, header.dtype, offset=header.offset)).all():
        raise ReplyInvalid(f"The update cannot be used: {name} has values that are infinite or not numbers.")


def open_array(name: str, data: bytes) -> Header:
    """The header of an array, unchecked. Raises ReplyInvalid when the bytes do not begin like an array."""
    try:
        return read_header(data)
    except ValueError as error:
        raise ReplyInvalid(f"The update cannot be read: {name} is not a NumPy array ({error}).") from None


def check_size(name: str, header: Header, data: bytes) -> None:
    """Raise ReplyInvalid unless there are as many bytes as an array with this header has."""
    if not has_right_size(header, data):
        raise ReplyInvalid(f"The update cannot be read: {name} is cut short, or goes on after its end.")
