"""The client's place in a run, on its disk: with it one that was started anew goes on without the server."""

from __future__ import annotations

import logging
from pathlib import Path

from google.protobuf.message import DecodeError

from shared.proto.link_pb2 import Assignment
from shared.security.files import NotOwn, read_own, write_whole

FILE = "assignment"
MAX_BYTES = 1 << 20

log = logging.getLogger(__name__)


class KeptAssignment:
    """In the folder of the client's node."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._written: bytes | None = None

    def load(self) -> Assignment | None:
        """The last one of a run that is not over, as far as is known; None: there is none."""
        try:
            return Assignment.FromString(read_own(self._path, MAX_BYTES))
        except FileNotFoundError:
            return None
        except (OSError, NotOwn, DecodeError) as error:
            log.warning("the place in a run that %s says is not used: %s", self._path, error)
            return None

    def keep(self, assignment: Assignment) -> None:
        """The server has given it."""
        data = assignment.SerializeToString(deterministic=True)
        if data == self._written:
            return
        try:
            write_whole(self._path, data)
            self._written = data
        except OSError as error:
            log.warning("the place in the run is not remembered over a restart: %s", error)

    def forget(self) -> None:
        """The run is over."""
        self._written = None
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s cannot be removed: %s", self._path, error)
