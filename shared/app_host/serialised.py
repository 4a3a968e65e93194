"""A serialised Flower message, or its content: protobuf, and the data of its arrays beside it."""

from __future__ import annotations

from dataclasses import dataclass

NUMBER_BYTES = 4
"""Of an array's number in the skeleton, the least significant byte first."""


@dataclass(frozen=True)
class Serialised:
    """`skeleton` is Flower's protobuf, in which each array has its number in place of its data."""

    skeleton: bytes
    arrays: tuple[bytes, ...] = ()

    @property
    def parts(self) -> list[bytes]:
        """The skeleton, and then the data of each array, as they travel."""
        return [self.skeleton, *self.arrays]

    @property
    def array_bytes(self) -> tuple[int, ...]:
        """How many bytes each array has."""
        return tuple(map(len, self.arrays))


def as_number(number: int) -> bytes:
    """What stands in the place of an array's data."""
    return number.to_bytes(NUMBER_BYTES, "little")
