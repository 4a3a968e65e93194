"""Chain: texts as lines of a file that only grows, of which each vouches for all before it. No I/O."""

from __future__ import annotations

import hashlib

CHARACTERS = 64
"""Of the hash that a line begins with."""


class LineDamaged(Exception):
    """A line is not the one that was written after those before it. Says which."""


class Chain:
    """Makes and reads lines, one after the other: a hash, a space and a text without a line's end."""

    def __init__(self) -> None:
        self._last = b"0" * CHARACTERS
        self._lines = 0

    def line(self, text: bytes) -> bytes:
        """The next line. It belongs to the chain once it was read."""
        return self._hash(text) + b" " + text + b"\n"

    def read(self, data: bytes) -> list[bytes]:
        """The texts of whole lines. Raises LineDamaged."""
        texts = []
        for line in data.split(b"\n")[:-1]:
            text = line[CHARACTERS + 1 :]
            if line + b"\n" != self.line(text):
                raise LineDamaged(
                    f"line {self._lines + 1} is not what was written there, or one before it is gone"
                )
            self._last = self._hash(text)
            self._lines += 1
            texts.append(text)
        return texts

    def _hash(self, text: bytes) -> bytes:
        return hashlib.sha256(self._last + text).hexdigest().encode()


def whole(data: bytes) -> int:
    """How many bytes of such lines were written to their end.

    Of the last line a power cut may have left a part: without its end, or with zeros where the disk had not
    come to it.
    """
    end = data.rfind(b"\n") + 1
    last = data.rfind(b"\n", 0, max(end - 1, 0)) + 1
    return last if b"\0" in data[last:end] else end
