"""What is said of a file that could not be had, and what is done where the disk is full."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from mesh.files.parts import Part, PartDamaged

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class NoRoom(OSError):
    """The disk has no room for a file. Says so as the end of a sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(errno.ENOSPC, message)


def in_words(error: Exception) -> str:
    """The end of a sentence, for people."""
    match error:
        case NoRoom():
            return str(error.strerror)
        case OSError() if error.errno in _FULL:
            return f"the disk is full ({os.strerror(error.errno)}): make room"
        case OSError() if error.errno in (errno.ELOOP, errno.ENOTDIR):
            return "a link or a file that is not shared is on its way: rename that"
        case OSError():
            return f"the disk does not take it: {error.strerror or error}"
        case PartDamaged():
            return "what lies on the disk is not what came: it comes again"
    return str(error)


@contextmanager
def discarded_when_full(part: Part) -> Iterator[None]:
    """A part that has filled the disk is removed: the room is needed more elsewhere."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            part.discard()
        raise
