"""Masks of 28 bits, as Flower's SecAgg+ has them, are guessed; ours are not, by the same attack."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec
from flwr.common.secure_aggregation.crypto.symmetric_encryption import generate_shared_key
from flwr.common.secure_aggregation.secaggplus_utils import pseudo_rand_gen
from numpy.typing import NDArray

from shared.secagg.masks import SEED_BYTES, Masked

MODULUS = 1 << 32
QUANTISED = 1 << 22
"""Below it is every number of an update, by the defaults of Flower's workflow."""
SIZE = 8

BITS = 0x7F7F7F7F
"""Those of Flower's seeds that are ever set: a key is text there, whose bytes begin with a 0."""
UNKNOWN = [bit for bit in range(32) if BITS >> bit & 1][:8]
"""Bits of a seed that this attack tries; all 28 take a million times as long, and are tried as these are."""

Numbers = NDArray[np.int64]


def folded(key: bytes) -> int:
    """What Flower's generator makes of a key."""
    return int(np.bitwise_xor.reduce(np.frombuffer(key, "<u4")))


def guesses(seed: int) -> Iterator[int]:
    """All seeds that are as this one but in the bits that are not known."""
    known = seed & ~sum(1 << bit for bit in UNKNOWN)
    for count in range(len(UNKNOWN) + 1):
        for bits in combinations(UNKNOWN, count):
            yield known | sum(1 << bit for bit in bits)


def attack(masked: Numbers, seeds: Iterable[int]) -> Numbers | None:
    """The update below a mask, which is known by its small numbers; None: no seed is right."""
    for seed in seeds:
        mask = np.random.RandomState(seed).randint(0, MODULUS - 1, masked.size, dtype=np.int64)
        update = (masked - mask) % MODULUS
        if (update < QUANTISED).all():
            return update
    return None


def an_update() -> Numbers:
    return np.random.default_rng(1).integers(0, QUANTISED, SIZE)


def flowers_key() -> bytes:
    """What two clients of Flower's SecAgg+ have in common."""
    mine, theirs = (ec.generate_private_key(ec.SECP384R1()) for _ in range(2))
    return generate_shared_key(mine, theirs.public_key())


def test_flowers_seeds_have_28_bits() -> None:
    """Where that changes with a version of Flower, decision 44 and the documents are out of date."""
    seeds = [folded(flowers_key()) for _ in range(200)]

    assert np.bitwise_or.reduce(seeds) == BITS


def test_an_update_under_flowers_mask_is_found() -> None:
    update, key = an_update(), flowers_key()
    [mask] = pseudo_rand_gen(key, MODULUS, [(SIZE,)])

    found = attack((update + mask) % MODULUS, guesses(folded(key)))

    assert found is not None
    assert found.tolist() == update.tolist()


def test_under_ours_it_is_not_though_all_is_known_of_the_seed_that_flowers_generator_would_use() -> None:
    seed = secrets.token_bytes(SEED_BYTES)
    masked = Masked(np.zeros(0, np.uint64), an_update().astype(np.uint32))
    masked.add_mask(seed, sign=1)

    assert attack(masked.values.astype(np.int64), guesses(folded(seed))) is None
