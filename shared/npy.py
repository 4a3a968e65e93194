"""NumPy's file format (NEP 1), in which Flower carries arrays: read without executing or allocating anything.

The bytes may come from anybody. What a header says is not believed: `has_right_size` compares it with them.
"""

from __future__ import annotations

import math
import tokenize
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from flwr.app import Array
from numpy.lib import format as npy
from numpy.typing import NDArray

MAX_HEADER = 10_000
"""Characters of an array's header, which Python's parser has to read: some 600 columns of a structured array.

The limit that NumPy sets itself, and so Flower's `Array.numpy()`: nobody could open a longer one. To refuse
the worst that fits takes 50 ms on one core of 2024.
"""

MAX_BEGINNING = MAX_HEADER + 100
"""Bytes in which every header that is read ends."""

REMEMBERED_BYTES = 512
"""Of a header, at most. NumPy fills them up to 128 as a rule."""

_VERSION_1 = npy.magic(1, 0)
_PREFIX = len(_VERSION_1) + 2
"""Bytes before the header of that version: the last two of them are its length."""

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


@dataclass(frozen=True)
class Header:
    """What stands before the values: their shape, order and dtype, and the place where they begin."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]
    offset: int


def read_header(data: bytes) -> Header:
    """The header of an array in version 1 or 2 of the format; its first MAX_BEGINNING bytes will do.

    Raises ValueError for bytes that have none.

    Short ones are remembered: the same ones come with every update, and the parser takes long for each.
    """
    header = data[: _PREFIX + int.from_bytes(data[_PREFIX - 2 : _PREFIX], "little")]
    if data.startswith(_VERSION_1) and len(header) <= REMEMBERED_BYTES:
        return _parsed_before(header)
    return _parsed(data)


def _parsed(data: bytes) -> Header:
    stream = BytesIO(data)
    try:
        version = npy.read_magic(stream)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
        if read is None:
            raise ValueError(f"version {version} of NumPy's file format is not read")
        shape, fortran_order, dtype = read(stream, max_header_size=MAX_HEADER)
    except _UNREADABLE as error:
        raise ValueError(str(error)) from None
    return Header(shape, fortran_order, dtype, stream.tell())


_parsed_before = lru_cache(maxsize=4_096)(_parsed)


def has_right_size(header: Header, size: int) -> bool:
    """Whether an array with this header has so many bytes, with the header."""
    if min(header.shape, default=0) < 0:
        return False
    return size - header.offset == header.dtype.itemsize * math.prod(header.shape)


def flat_view(array: Array) -> NDArray[Any]:
    """The values of an array in C order, shape (size,), read-only; not copied unless they are in Fortran's.

    Raises ValueError for bytes that are no array of the format's version 1 or 2.
    """
    header = read_header(array.data)
    values = np.frombuffer(array.data, header.dtype, math.prod(header.shape), offset=header.offset)
    return values.reshape(header.shape, order="F" if header.fortran_order else "C").ravel()
