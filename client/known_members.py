"""KnownMembers: which key each other client had when this one first met it in a secure aggregation.

The keys of others come from the server. That it tells the truth at the first meeting, this client has to
believe, unless its site lists the keys itself (`members` in client.toml); later it notices another key.
`python -m client.members` forgets one.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from shared.errors import FedLoomError
from shared.names import CLIENT_ID
from shared.secagg.refusal import Refused, Rule
from shared.security.files import make_private_folder, write_whole
from shared.security.key_id import KeyId

MEMBERS = "members"
"""The folder of the files, in FedLoom's own."""


class MembersUnusable(FedLoomError):
    """What a client remembers of others cannot be read or written, so that it cannot tell who they are."""


class KnownMembers:
    """Of one client at one server, in a file. From any process of its user."""

    def __init__(self, path: Path, listed: Collection[KeyId] | None = None) -> None:
        """`listed`: the only keys that the site takes part with; None: any."""
        self._path = path
        self._listed = None if listed is None else frozenset(listed)

    @classmethod
    def of(cls, home: Path, own: KeyId, listed: Collection[KeyId] | None = None) -> KnownMembers:
        """Of the client with this key, whose files are in `home`."""
        return cls(home / MEMBERS / f"{own}.json", listed)

    def require_genuine(self, others: Mapping[str, KeyId]) -> None:
        """Remember the clients that are met for the first time. Raises Refused for one with another key than
        before, or than the site lists, and where nothing can be remembered."""
        try:
            with self._turn():
                known = self.known()
                for name, key in sorted(others.items()):
                    self._require(name, key, known.get(name, key))
                if met := others.keys() - known.keys():
                    self._save({**known, **{name: others[name] for name in met}})
        except MembersUnusable as error:
            raise Refused(Rule.KEYS, str(error)) from error

    def known(self) -> dict[str, KeyId]:
        """Those that it has met, by name. Raises MembersUnusable."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(name): KeyId.parse(key) for name, key in kept.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, FedLoomError) as error:
            raise MembersUnusable(
                f"Which keys the others had before cannot be read from {self._path}. Restore the file, or "
                "delete it if you accept that they are met anew."
            ) from error

    def forget(self, name: str) -> KeyId | None:
        """Have a client met anew; returns the key that it had, None if it is not known. Raises
        MembersUnusable."""
        if name not in self.known():
            return None
        with self._turn():
            known = self.known()
            if (key := known.pop(name, None)) is not None:
                self._save(known)
            return key

    def _require(self, name: str, key: KeyId, before: KeyId) -> None:
        if not CLIENT_ID.fullmatch(name):  # which somebody may have to type
            raise Refused(Rule.KEYS, "the server calls another client by what is no client's name")
        if before != key:
            raise Refused(
                Rule.KEYS,
                f"{name} has the key {key.short}…, and had {before.short}… before: either it has a new "
                "one, or the server puts somebody else in its place. Ask its site; if the key is new, run "
                f"`python -m client.members forget {name}` at this site",
            )
        if self._listed is not None and key not in self._listed:
            raise Refused(
                Rule.KEYS, f"the key {key.short}… of {name} is not among the members of this site's policy"
            )

    def _save(self, known: Mapping[str, KeyId]) -> None:
        lines = json.dumps({name: str(key) for name, key in sorted(known.items())}, indent=0)
        try:
            write_whole(self._path, lines.encode())
        except OSError as error:
            raise self._unwritable(error) from error

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Nobody else changes the file meanwhile."""
        lock = FileLock(self._path.with_suffix(".lock"), mode=0o600)
        try:
            make_private_folder(self._path.parent)
            lock.acquire()
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            yield
        finally:
            lock.release()

    def _unwritable(self, error: OSError) -> MembersUnusable:
        return MembersUnusable(
            f"The keys of the others cannot be remembered in {self._path}: {error.strerror or error}."
        )


def known_in(home: Path) -> Iterator[tuple[str, KnownMembers]]:
    """What each client with its files in `home` has met, by the id of its own key."""
    for path in sorted((home / MEMBERS).glob("[!.]*.json")):
        yield path.stem, KnownMembers(path)
