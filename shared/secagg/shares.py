"""Shamir's secret sharing (1979) of 256 bits, over a prime field.

PyCryptodome has it over GF(2^128) in Python that takes 0.1 ms for one product: a second for each client among
fifty. In a prime field Python's own numbers do the work, a hundred times as fast.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping

PRIME = 2**256 + 297
"""The smallest prime above every secret."""
SECRET_BYTES = 32
SHARE_BYTES = 33
PLACE_BYTES = 2
"""Of the number of a share's holder, where it travels before the share."""


def split(secret: bytes, holders: Iterable[int], needed: int) -> dict[int, bytes]:
    """A share for each holder, who are told apart by numbers from 1; any `needed` of them give the secret."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a secret has {SECRET_BYTES} bytes, not {len(secret)}")
    polynomial = [int.from_bytes(secret), *(secrets.randbelow(PRIME) for _ in range(needed - 1))]
    return {holder: _at(polynomial, holder).to_bytes(SHARE_BYTES) for holder in holders}


def combine(shares: Mapping[int, bytes], needed: int) -> bytes:
    """The secret of which these are shares; of more than are needed, some are left out.

    Raises ValueError for too few, and for shares that belong to no secret. Other wrong shares give another
    secret: whoever combines them has to know how the right one looks.
    """
    if len(shares) < needed:
        raise ValueError(f"{len(shares)} shares are too few: {needed} are needed")
    points = {holder: int.from_bytes(share) for holder, share in sorted(shares.items())[:needed]}
    total = 0
    for place, value in points.items():
        above, below = 1, 1
        for other in points:
            if other != place:
                above = above * other % PRIME
                below = below * (other - place) % PRIME
        total = (total + value * above * pow(below, -1, PRIME)) % PRIME
    if total.bit_length() > 8 * SECRET_BYTES:
        raise ValueError("these shares belong to no secret")
    return total.to_bytes(SECRET_BYTES)


def combine_right(
    shares: Mapping[int, bytes],
    needed: int,
    is_right: Callable[[bytes], bool],
    distrusted: Collection[int] = (),
) -> tuple[bytes, frozenset[int]]:
    """The secret that is right, and who is left out of it: one holder whose share is wrong, or `distrusted`.

    Raises ValueError where one more would have to be left out, or too few remain: of as many shares as are
    needed nobody can tell which is wrong.
    """
    if len(shares) < needed:
        raise ValueError(f"{len(shares)} shares are too few: {needed} are needed")
    first = frozenset(distrusted) & shares.keys()
    # whoever is left out has to be among those who are taken otherwise
    for left_out in (first, frozenset[int](), *(frozenset({holder}) for holder in sorted(shares)[:needed])):
        try:
            some = {holder: share for holder, share in shares.items() if holder not in left_out}
            secret = combine(some, needed)
        except ValueError:
            continue
        if is_right(secret):
            return secret, left_out
    raise ValueError("the shares that came do not fit each other")


def _at(polynomial: list[int], place: int) -> int:
    value = 0
    for coefficient in reversed(polynomial):
        value = (value * place + coefficient) % PRIME
    return value
