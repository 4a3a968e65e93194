"""Whether an error means that the machine has too little of something for the moment."""

from __future__ import annotations

import errno

import torch

_ERRNOS = frozenset(
    {
        errno.EAGAIN,
        errno.EDQUOT,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.ENOSPC,
    }
)


def is_shortage(error: BaseException) -> bool:
    """Memory, descriptors, processes or room on a disk: there may be enough of it again later."""
    if isinstance(error, OSError):
        return error.errno in _ERRNOS
    return isinstance(error, MemoryError | torch.OutOfMemoryError)
