"""Checks the built-in ClientApp's replies before anything is done with them: a client may be wrong."""

from __future__ import annotations

import math
import tokenize
from io import BytesIO
from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord, Message
from numpy.lib import format as npy

from app.federation.grid.instruction import Instruction
from shared.errors import ReplyInvalid
from shared.results import EvaluateMetrics, TrainMetrics, records_of

RECORDS_OF = {"train": {"arrays", "metrics"}, "evaluate": {"metrics"}}
"""The names of the records in a reply, by the kind of message. Strategies want the same from every client."""

MAX_HEADER = 1_000
"""Characters of an array's header, which Python's parser has to read; NumPy's own have less than 200."""

_UNREADABLE = (
    TypeError,
    ValueError,
    EOFError,
    OverflowError,
    SyntaxError,
    MemoryError,  # of the parser
    RecursionError,
    tokenize.TokenError,
)
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
    shape, dtype, content = open_array(name, got.data)
    if shape != sent.shape:
        raise ReplyInvalid(f"The update does not fit the model: {name} has shape {shape}, not {sent.shape}.")
    if str(dtype) != sent.dtype:
        raise ReplyInvalid(f"The update does not fit the model: {name} has dtype {dtype}, not {sent.dtype}.")
    check_size(name, shape, dtype, content)
    if not np.isfinite(np.frombuffer(content, dtype)).all():
        raise ReplyInvalid(f"The update cannot be used: {name} has values that are infinite or not numbers.")


def open_array(name: str, data: bytes) -> tuple[tuple[int, ...], np.dtype[Any], memoryview]:
    """Shape, dtype and the bytes of the values of an array in NumPy's file format (NEP 1), all unchecked.

    Raises ReplyInvalid when the bytes do not begin like an array.
    """
    stream = BytesIO(data)
    try:
        shape, dtype = _read_header(stream)
    except _UNREADABLE as error:
        raise ReplyInvalid(f"The update cannot be read: {name} is not a NumPy array ({error}).") from None
    return shape, dtype, memoryview(data)[stream.tell() :]


def check_size(name: str, shape: tuple[int, ...], dtype: np.dtype[Any], content: memoryview) -> None:
    """Raise ReplyInvalid unless there are as many bytes as an array of this shape and dtype has."""
    if min(shape, default=0) < 0 or len(content) != dtype.itemsize * math.prod(shape):
        raise ReplyInvalid(f"The update cannot be read: {name} is cut short, or goes on after its end.")


def _read_header(stream: BytesIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype of an array, without reading it."""
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(npy.read_magic(stream))
    if read is None:
        raise ValueError("an unknown version of the format")
    shape, _, dtype = read(stream, max_header_size=MAX_HEADER)
    return shape, dtype
