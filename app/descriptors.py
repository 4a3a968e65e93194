"""How many files and connections this process may have open (RLIMIT_NOFILE), and for what."""

from __future__ import annotations

import sys
from contextlib import suppress

WANTED = (65_536, 10_240)
"""What the limit is raised to, if the system allows; macOS does not allow every number."""

RESERVE = 64
"""Descriptors kept free for the database, checkpoints and data sets; of a low limit at most a quarter."""


def raise_descriptor_limit() -> int | None:
    """Let this process open as many files and connections as the system allows.

    Returns the limit that holds from now on; None where there is none.
    """
    if sys.platform == "win32":
        return None
    import resource

    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in WANTED:
        better = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        if limit != resource.RLIM_INFINITY and limit < better:
            with suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (better, most))
                limit = better
    return None if limit == resource.RLIM_INFINITY else limit


def for_connections(limit: int | None) -> int | None:
    """How many of them connections may use, of the page and of the link together."""
    return None if limit is None else limit - min(RESERVE, limit // 4)
