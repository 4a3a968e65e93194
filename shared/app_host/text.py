"""Text that every reader can take: what cannot be written as UTF-8 is replaced.

Python holds a byte of a file name or an argument that is not UTF-8 as half a surrogate pair (PEP 383), and
so does JSON with an escaped one. Protobuf, JSON in UTF-8 and databases refuse such text, so it is cleaned
where it enters a frame or a record.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """The text, with U+FFFD in place of each lone surrogate; two that are a pair become their character."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def shortened(text: str, limit: int) -> str:
    """A text of about so many characters at most: the middle of a longer one is left out."""
    half = limit // 2
    return text if len(text) <= limit else f"{text[:half]}\n[…]\n{text[-half:]}"
