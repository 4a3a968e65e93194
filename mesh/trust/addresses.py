"""Where members were heard of. A hint, and no more: who is there, says their key alone."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from pathlib import Path

from mesh.trust.folder import FolderUnusable
from mesh.trust.record import read, write
from shared.address import Address, parse_address
from shared.errors import FedLoomError
from shared.security.key_id import KeyId

MAX_ADDRESSES = 8
"""Of one member, the newest."""
MAX_BYTES = 4 << 20

log = logging.getLogger(__name__)


class AddressBook:
    """The addresses at which members were heard of, kept in a file of their own.

    They come from others, and at any rate, so that they are written only now and then (`as_file`). What a
    crash loses, is heard of again.
    """

    def __init__(self, known: Mapping[KeyId, tuple[Address, ...]] | None = None) -> None:
        self._known = dict(known or {})
        self._is_changed = False

    @classmethod
    def load(cls, path: Path) -> AddressBook:
        """What a file says. One that cannot be read is said in the log, and begun anew."""
        try:
            data = read(path, MAX_BYTES)
            fields = {} if data is None else json.loads(data)
            return cls(
                {
                    KeyId.parse(key): tuple(map(parse_address, addresses))[-MAX_ADDRESSES:]
                    for key, addresses in fields.items()
                }
            )
        except (ValueError, TypeError, AttributeError, RecursionError, FedLoomError) as error:
            log.warning("where members were last, is not known any more: %s", error)
            return cls()

    def of(self, key: KeyId) -> tuple[Address, ...]:
        """Those of a member; the newest last."""
        return self._known.get(key, ())

    def add(self, key: KeyId, address: Address) -> bool:
        """A member was heard of there; it becomes the newest. Whether it is news."""
        before = self.of(key)
        if before[-1:] == (address,):
            return False
        others = tuple(each for each in before if each != address)
        self._known[key] = (*others, address)[-MAX_ADDRESSES:]
        self._is_changed = True
        return len(others) == len(before)

    def keep_only(self, keys: Collection[KeyId]) -> None:
        """Forget those who are no members any more."""
        for key in self._known.keys() - set(keys):
            del self._known[key]
            self._is_changed = True

    def as_file(self) -> bytes | None:
        """What is to be written to the file; None: it has all of it."""
        if not self._is_changed:
            return None
        self._is_changed = False
        return json.dumps(
            {str(key): list(map(str, addresses)) for key, addresses in self._known.items()}, indent=1
        ).encode()


def write_addresses(path: Path, data: bytes) -> None:
    """Write what `as_file` gave; what hinders that, is said in the log."""
    try:
        write(path, data)
    except FolderUnusable as error:
        log.warning("where members are, is not kept: %s", error)
