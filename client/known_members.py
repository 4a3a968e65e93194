"""KnownMembers: which key each other client had when this one first met it in a secure aggregation.

The keys of others come from the server. That it tells the truth at the first meeting, this client has to
believe, unless its site lists the keys itself (`members` in client.toml); later it notices another key.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from shared.errors import FedLoomError
from shared.secagg.refusal import Refused, Rule
from shared.security.files import write_whole
from shared.security.key_id import KeyId

MEMBERS = "members"
"""The folder of the files, in FedLoom's own."""
MAX_BYTES = 16 << 20


class KnownMembers:
    """Of one client at one server, in a file. Used in the runtime's thread."""

    def __init__(self, path: Path, listed: Collection[KeyId] | None = None) -> None:
        """`listed`: the only keys that the site takes part with; None: any."""
        self._path = path
        self._listed = None if listed is None else frozenset(listed)

    def require_genuine(self, others: Mapping[str, KeyId]) -> None:
        """Remember the clients that are met for the first time. Raises Refused for one with another key than
        before, or than the site lists, and where nothing can be remembered."""
        known = self._load()
        for name, key in sorted(others.items()):
            before = known.get(name, key)
            if before != key:
                raise Refused(
                    Rule.KEYS,
                    f"{name} has the key {key.short}…, and had {before.short}… before: either it has a new "
                    "one, or the server puts somebody else in its place. Ask its site; if it is new, take "
                    f"its line out of {self._path}",
                )
            if self._listed is not None and key not in self._listed:
                raise Refused(
                    Rule.KEYS,
                    f"the key {key.short}… of {name} is not among the members of this site's policy",
                )
        if met := others.keys() - known.keys():
            self._save({**known, **{name: others[name] for name in met}})

    def _load(self) -> dict[str, KeyId]:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(name): KeyId.parse(key) for name, key in kept.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, FedLoomError) as error:
            raise Refused(
                Rule.KEYS,
                f"which keys the others had before cannot be read from {self._path}. Restore the file, or "
                "delete it if you accept that they are met anew",
            ) from error

    def _save(self, known: Mapping[str, KeyId]) -> None:
        lines = json.dumps({name: str(key) for name, key in sorted(known.items())}, indent=0)
        try:
            write_whole(self._path, lines.encode())
        except OSError as error:
            raise Refused(
                Rule.KEYS,
                f"the keys of the others cannot be remembered in {self._path}: {error.strerror or error}",
            ) from error
