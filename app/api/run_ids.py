"""Several runs in one query."""

from __future__ import annotations


def ids_in(text: str) -> list[str]:
    """The ids in a list with commas, each once, in its order."""
    return list(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))
