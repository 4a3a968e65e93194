"""The order in which people expect names with numbers in them."""

from __future__ import annotations

import re

NaturalKey = tuple[tuple[tuple[int, int | str], ...], str]


def natural_key(text: str) -> NaturalKey:
    """A sort key that puts client-2 before client-10, and never ties: site-1 and site-01 have an order, too.

    Numbers are compared as numbers and stand before letters; texts that are equal so far, by characters.
    """
    parts = (part for part in re.split(r"(\d+)", text) if part)
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts), text
