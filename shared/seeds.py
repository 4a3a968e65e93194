"""One rule by which every random choice follows from the run's seed."""

import hashlib


def derive_seed(*parts: int | str) -> int:
    """Hash `parts` into a seed in [0, 2**63), the same in every process, on every machine and version.

    Every part is tagged with its type and length before SHA-256, so that ("a", "bc"), ("ab", "c") and
    (1,), ("1",) give unrelated seeds. Typical parts are the run's seed, a word for the purpose, the
    round and the client.

    Raises:
        TypeError: a part is neither an int nor a str.
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, bool) or not isinstance(part, int | str):
            raise TypeError(f"a seed is derived from ints and strs, not from {part!r}")
        encoded = str(part).encode()
        digest.update(f"{'i' if isinstance(part, int) else 's'}{len(encoded)}:".encode() + encoded)
    return int.from_bytes(digest.digest()[:8], "big") >> 1
