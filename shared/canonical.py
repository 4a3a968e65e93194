"""JSON with one way to write each value: sorted keys, no blanks, ASCII alone.

What is hashed and signed is written so, and read only if it is. Numbers are as Python writes them: a float in
the fewest digits that give it back.
"""

from __future__ import annotations

import json
from typing import Any


class NotCanonical(ValueError):
    """Bytes are no JSON, or not as `canonical` writes it."""


def canonical(value: Any) -> bytes:
    """A value as JSON. Raises TypeError and ValueError for one that JSON does not have, such as NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def from_canonical(data: bytes) -> Any:
    """The inverse of `canonical`. Raises NotCanonical for anything that it would not have written."""
    try:
        value = json.loads(data.decode("ascii"))
        is_same = canonical(value) == data
    except (ValueError, RecursionError) as error:
        raise NotCanonical(f"it is no JSON: {error}") from error
    if not is_same:
        raise NotCanonical("it is not written in the one way that is allowed")
    return value
