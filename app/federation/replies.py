"""Checks the built-in ClientApp's replies before anything is done with them: a client may be wrong."""

from __future__ import annotations

import tokenize
from io import BytesIO
from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord, Message
from numpy.lib import format as npy

from app.federation.grid import Instruction
from shared.errors import ReplyInvalid
from shared.results import EvaluateMetrics, TrainMetrics

RECORDS_OF = {"train": {"arrays", "metrics"}, "evaluate": {"metrics"}}
"""The names of the records in a reply, by the kind of message. Strategies want the same from every client."""

_UNREADABLE = (TypeError, ValueError, EOFError, OverflowError, SyntaxError, tokenize.TokenError)
"""What NumPy's reader raises for bytes that are no array."""


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
    if "arrays" not in reply.content.array_records:
        raise ReplyInvalid("The reply's record 'arrays' holds no arrays.")
    sent = next(iter(instruction.message.content.array_records.values()))
    _check_update(sent, reply.content.array_records["arrays"])


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
    stream = BytesIO(got.data)
    try:
        shape, dtype = _read_header(stream)
    except _UNREADABLE as error:
        raise ReplyInvalid(f"The update cannot be read: {name} is not a NumPy array ({error}).") from None
    if shape != sent.shape:
        raise ReplyInvalid(f"The update does not fit the model: {name} has shape {shape}, not {sent.shape}.")
    if str(dtype) != sent.dtype:
        raise ReplyInvalid(f"The update does not fit the model: {name} has dtype {dtype}, not {sent.dtype}.")
    content = memoryview(got.data)[stream.tell() :]
    if len(content) != dtype.itemsize * int(np.prod(shape, dtype=np.int64)):
        raise ReplyInvalid(f"The update cannot be read: {name} is cut short, or goes on after its end.")
    if not np.isfinite(np.frombuffer(content, dtype)).all():
        raise ReplyInvalid(f"The update cannot be used: {name} has values that are infinite or not numbers.")


def _read_header(stream: BytesIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype of an array in NumPy's file format (NEP 1), without reading it."""
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(npy.read_magic(stream))
    if read is None:
        raise ValueError("an unknown version of the format")
    shape, _, dtype = read(stream)
    return shape, dtype
