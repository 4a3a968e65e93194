"""The file in which a node keeps its invitations, so that a restart ends none, and makes none good again.

It has hashes of tokens, of which no token follows, and when each expires by the clock on the wall: the
monotonic one begins anew with the machine.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh.trust.open_invitations import LIFETIME_S, Invitations, Made, MadeByHash
from mesh.trust.record import read, write
from shared.errors import FedLoomError
from shared.security.key_id import KeyId

FILE = "invitations.json"
MAX_BYTES = 1 << 20

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Clocks:
    """`monotonic`: by which invitations expire; `wall`: seconds since 1970, by which that is written."""

    monotonic: Callable[[], float]
    wall: Callable[[], float]

    @property
    def difference(self) -> float:
        """What has to be added to a monotonic time."""
        return self.wall() - self.monotonic()


def kept_invitations(path: Path, clocks: Clocks) -> Invitations:
    """Those of a node, which are in its file and stay there. With one that cannot be read none is open, which
    is said in the log."""

    def keep(made: MadeByHash) -> None:
        write(path, _as_file(made, clocks.difference))

    return Invitations(_read(path, clocks), keep)


def _as_file(made: MadeByHash, difference: float) -> bytes:
    told = [
        {
            "expires": each.expires + difference,
            "token": token.hex(),
            "used_by": None if each.used_by is None else str(each.used_by),
            "void": each.is_void,
        }
        for token, each in made.items()
    ]
    return json.dumps(told, indent=1).encode()


def _read(path: Path, clocks: Clocks) -> MadeByHash:
    try:
        data = read(path, MAX_BYTES)
        told = [] if data is None else json.loads(data)
        return dict(_made(each, clocks) for each in told)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, FedLoomError) as error:
        log.warning("the invitations that were open are not any more, invite anew: %s", error)
        return {}


def _made(told: Any, clocks: Clocks) -> tuple[bytes, Made]:
    """A clock that was set back meanwhile does not make an invitation last longer than a new one."""
    expires, is_void, used_by = told["expires"], told["void"], told["used_by"]
    if not isinstance(expires, int | float) or type(is_void) is not bool:
        raise TypeError("a field has a value of another kind")
    latest = clocks.monotonic() + LIFETIME_S
    made = Made(
        min(expires - clocks.difference, latest), None if used_by is None else KeyId.parse(used_by), is_void
    )
    return bytes.fromhex(told["token"]), made
