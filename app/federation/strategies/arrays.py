"""Models as Flower carries them, read where they lie: an array arrives as bytes of NumPy's file format (NEP
1).

`Array.numpy()` copies those bytes, and a whole model in float64 is twice its size again. Here values are
viewed in place and worked on block by block.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord
from numpy.lib import format as npy
from numpy.typing import NDArray

from shared.npy import flat_view

Values = NDArray[Any]
Floats = NDArray[np.float64]

BLOCK = 1 << 16
"""Elements that are worked on at a time: they stay in the processor's cache (ten times as fast)."""

SMALLEST_FLOAT32 = float(np.finfo(np.float32).tiny)
"""The smallest positive number that float32, in which models compute, holds with all its digits."""


def blocks(size: int) -> Iterator[slice]:
    """Slices of at most BLOCK elements that cover an array of `size` elements."""
    return (slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK))


def to_array(values: Values, like: Array) -> Array:
    """Values of any shape as an array with the dtype and shape of `like`; whole numbers are rounded to."""
    dtype = np.dtype(like.dtype)
    if not np.issubdtype(dtype, np.floating):
        values = np.rint(values)
    return _pack(np.ascontiguousarray(values, dtype), like)


def use_up(values: Floats, like: Array) -> Array:
    """As `to_array`, for flat values that nobody needs any more: narrowed in place, and so not held twice."""
    dtype = np.dtype(like.dtype)
    exact = np.issubdtype(dtype, np.floating)
    narrow = values.view(dtype)[: values.size]
    for block in blocks(values.size):  # a block is written at or before the place where it is read
        narrow[block] = values[block] if exact else np.rint(values[block])
    return _pack(narrow, like)


def _pack(values: Values, like: Array) -> Array:
    """Contiguous values, in C order and of the right dtype, in NumPy's file format; copied once."""
    header = BytesIO()
    description = {"descr": npy.dtype_to_descr(values.dtype), "fortran_order": False, "shape": like.shape}
    npy.write_array_header_1_0(header, description)
    content = values.reshape(-1).view(np.uint8).data
    return Array(like.dtype, like.shape, like.stype, b"".join((header.getvalue(), content)))


def floating(arrays: ArrayRecord) -> ArrayRecord:
    """Those arrays that hold real numbers: weights, and no counters, to which no gradient belongs."""
    return ArrayRecord(
        {name: array for name, array in arrays.items() if np.issubdtype(np.dtype(array.dtype), np.floating)}
    )


def in_order_of(arrays: ArrayRecord, model: ArrayRecord) -> ArrayRecord:
    """The same arrays, shared, in the model's order, which a client is free to change."""
    return ArrayRecord({name: arrays[name] for name in model})


def update_norm(arrays: ArrayRecord, origin: ArrayRecord) -> float:
    """The L2 norm of arrays - origin over the arrays of `origin`; infinite if float64 cannot hold it."""
    total = 0.0
    with np.errstate(over="ignore"):
        for name, start in origin.items():
            values, base = flat_view(arrays[name]), flat_view(start)
            for block in blocks(base.size):
                difference = np.subtract(values[block], base[block], dtype=np.float64)
                total += float(difference @ difference)
    return math.sqrt(total)
