"""Masks: streams of random numbers from 256 bits, added and taken away again modulo a power of two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

SEED_BYTES = 32
PIECE = 1 << 20
"""Bytes of a stream that are made at a time."""

_WORD: Mapping[int, Any] = MappingProxyType({16: np.dtype("<u2"), 32: np.dtype("<u4")})
_TOTAL = np.dtype("<u8")


@dataclass(frozen=True)
class Masked:
    """What is summed: totals of 64 bits, and values of 16 or 32, each modulo what it can hold.

    With a mask on it, it looks like a random number to whoever does not have the mask's seed.
    """

    totals: NDArray[np.uint64]
    values: NDArray[Any]

    @classmethod
    def zero(cls, totals: int, size: int, bits: int) -> Self:
        """Nothing summed up so far."""
        return cls(np.zeros(totals, _TOTAL), np.zeros(size, _WORD[bits]))

    @classmethod
    def from_bytes(cls, data: bytes, totals: int, size: int, bits: int) -> Self:
        """As it travels. Raises ValueError for another number of bytes."""
        if len(data) != totals * _TOTAL.itemsize + size * _WORD[bits].itemsize:
            raise ValueError(f"{len(data):,} bytes are not those of {size:,} numbers with {bits} bits")
        at = totals * _TOTAL.itemsize
        return cls(np.frombuffer(data, _TOTAL, totals), np.frombuffer(data, _WORD[bits], offset=at))

    def to_bytes(self) -> bytes:
        """As it travels."""
        return self.totals.tobytes() + self.values.tobytes()

    def add(self, other: Masked) -> None:
        """Add another in place."""
        np.add(self.totals, other.totals, out=self.totals)
        np.add(self.values, other.values, out=self.values)

    def add_mask(self, seed: bytes, *, sign: int) -> None:
        """Add the mask of a seed in place (`sign` 1), or take it away (-1)."""
        stream = _Stream(seed)
        apply = np.add if sign > 0 else np.subtract
        apply(self.totals, stream.take(self.totals.size, self.totals.dtype), out=self.totals)
        at_once = PIECE // self.values.dtype.itemsize
        for start in range(0, self.values.size, at_once):
            piece = self.values[start : start + at_once]
            apply(piece, stream.take(piece.size, piece.dtype), out=piece)


class _Stream:
    """The keystream of AES-256 in counter mode (NIST SP 800-38A), of a key that is for nothing else."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError(f"the seed of a mask has {SEED_BYTES} bytes, not {len(seed)}")
        self._encryptor = Cipher(algorithms.AES256(seed), modes.CTR(bytes(16))).encryptor()

    def take(self, size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """The next so many numbers."""
        return np.frombuffer(self._encryptor.update(bytes(size * dtype.itemsize)), dtype)
