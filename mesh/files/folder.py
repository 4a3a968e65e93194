"""Folder: a shared folder on this node's disk, with its index and with what others say of it.

All of it is used by one thread at a time, but for `source`, whose reads come from any.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from mesh.files.changes import take_in
from mesh.files.checking import FileCheck, FileRefused, Gate
from mesh.files.entry import Entry
from mesh.files.failures import NoRoom, discarded_when_full, in_words
from mesh.files.ignore import IgnoreRules
from mesh.files.index import Index, index_file
from mesh.files.install import Installer, InTheWay
from mesh.files.kept import prune
from mesh.files.manifest import MAX_ENTRIES, MAX_MANIFEST_BYTES, Manifest, ManifestRefused, opened, signed
from mesh.files.names import OWN_FOLDER
from mesh.files.parts import PARTS, Part, PartDamaged, part_name
from mesh.files.plan import Plan, Wanted, plan
from mesh.files.reading import FileChanged, FileSource
from mesh.files.scan import scan
from mesh.files.settings import FolderSettings
from mesh.files.tree import FolderUnusable, Tree
from mesh.files.version import Order, VersionUsedUp
from mesh.files.view import alike
from mesh.files.walk import NotShared
from mesh.node import CHUNK_BYTES, Content
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair, PublicKey

MARK = f"{OWN_FOLDER}/folder"
"""Holds the folder's id. Where it is missing, a disk may not be mounted: nothing counts as deleted then."""
RESERVE_BYTES = 16 << 20
"""Room on the disk that is left alone."""


DELETIONS_KEPT_DAYS = 365
"""For so long a deletion is remembered: from who was away for less, no file comes back."""


class OlderManifest(ManifestRefused):
    """A manifest came that is older than what its author has said before."""


class Folder:
    """One folder. To be closed. Raises FolderUnusable, IndexUnusable and OSError."""

    def __init__(
        self, settings: FolderSettings, home: Path, key: KeyPair, check: FileCheck | None = None
    ) -> None:
        """`check`: what files of others have to pass before they are visible; None: they need not."""
        self.settings = settings
        self._key = key
        self._gate = Gate(check)
        self.not_shared: list[NotShared] = []
        """By the last scan."""
        self.must_scan = True
        """Whether something is known to have changed that is not in the index."""
        self._rules = IgnoreRules()
        self._claims: dict[KeyId, Mapping[str, Entry]] = {}
        self._sequences: dict[KeyId, int] = {}
        self._manifest: tuple[int, bytes] | None = None
        self._parts: set[Part] = set()
        """Those that are open."""
        self._damaged: set[Content] = set()
        """What could not be copied here, although the index says that it lies here."""
        self._contents: dict[KeyId, frozenset[Content | None]] = {}
        """What each of the others has, under whatever name."""
        self.tree = Tree(settings.path)
        try:
            self.index = Index(index_file(home, settings.id), settings.id, str(key.public.id)[:7])
        except BaseException:
            self.tree.close()
            raise
        self._installer = Installer(self.tree, self.index)
        try:
            self._require_mark()
            self._installer.recover()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of all files."""
        for part in list(self._parts):
            self.end(part)
        self.index.close()
        self.tree.close()

    def know(self, members: Mapping[KeyId, PublicKey]) -> None:
        """These share the folder from now on: what others have said counts no more, and what these have said
        before counts again."""
        for author in self._claims.keys() - members.keys():
            del self._claims[author], self._contents[author], self._sequences[author]
        for author in members.keys() - self._claims.keys():
            if (kept := self.index.manifest_of(author)) is None:
                continue
            sequence, data = kept
            if not data:
                self._forget_claims(author, sequence)
                continue
            with suppress(ManifestRefused):  # another version of FedLoom may have kept it
                self._take(author, self._opened(data, members[author]))

    def scan(self, go_on: Callable[[], None] = lambda: None) -> None:
        """See what has changed on the disk. `go_on` is called often, and ends the scan by raising. Raises
        IgnoreRulesInvalid."""
        self._require_mark()
        self._installer.recover()  # what could not be undone then, must not pass for deleted now
        self._rules = IgnoreRules.read(self.tree)
        self.must_scan = False
        receive_only = self.settings.receive_only
        found = scan(self.tree, self.index.files, self._rules, go_on, receive_only=receive_only)
        now_ns = time.time_ns()
        self.not_shared = take_in(found, self.index, now_ns, receive_only=receive_only)
        prune(self.tree, self.settings.keep, self.settings.keep_days, now_ns)
        self._forget_deletions(_oldest_ns(now_ns))
        self._remove_stale_parts()

    @property
    def is_racy(self) -> bool:
        """Whether a file was changed so shortly before it was read that it should be read once more."""
        return any(local.seen is None and not local.entry.is_deleted for local in self.index.files.values())

    def manifest(self) -> bytes:
        """What is here, signed; the same bytes as long as nothing changes. Raises FolderUnusable."""
        if self._manifest is None or self._manifest[0] != self.index.changes:
            changes, files = self.index.changes, self.index.files
            entries = {name: local.entry for name, local in files.items() if not local.is_own_affair}
            if len(entries) > MAX_ENTRIES:
                raise self._too_much(f"{len(entries):,} names, of at most {MAX_ENTRIES:,}")
            data = signed(Manifest(self.settings.id, self.index.next_sequence(), entries), self._key)
            if len(data) > MAX_MANIFEST_BYTES:
                raise self._too_much(f"{len(data) >> 20} MiB, of at most {MAX_MANIFEST_BYTES >> 20}")
            self._manifest = changes, data
        return self._manifest[1]

    def _too_much(self, how_much: str) -> FolderUnusable:
        return FolderUnusable(
            f"The folder {self.settings.path} has too many files to be shared: the list of them, and of "
            f"those that were deleted, has {how_much}. Share parts of it, or add it under another id, which "
            "forgets what was deleted."
        )

    def accept(self, author: KeyId, key: PublicKey, data: bytes) -> None:
        """What another node says now. Raises ManifestRefused, and OlderManifest."""
        manifest = self._opened(data, key)
        if manifest.sequence <= self._sequences.get(author, 0):
            raise OlderManifest("it is older than what its author has said before")
        self.index.keep_manifest(author, manifest.sequence, data)
        self._take(author, manifest)

    def heard(self, author: KeyId) -> int:
        """The number of the last manifest that was taken from a node; 0: there is none."""
        return self._sequences.get(author, 0)

    def plan(self) -> Plan:
        """What has to happen here."""
        oldest_ns = _oldest_ns(time.time_ns())
        return self._gate.judged(plan(self.index.files, self._claims, self._rules.ignores, oldest_ns))

    @property
    def refused(self) -> Mapping[str, int]:
        """How many files were not taken for what they hold, by reason."""
        return self._gate.refused

    def work(self) -> tuple[Plan, dict[str, str]]:
        """Do what needs nothing from others; returns what is left, and what could not be done, with the
        reason."""
        failed = self.do_at_once(self.plan())
        return self.plan(), failed

    def alike(self, left: Plan) -> int:
        """How many of the others have said to have what is to be here. `left`: what has to happen."""
        return alike(self.index.files, left, self._claims)

    def holders(self, content: Content) -> list[KeyId]:
        """Who claims to have this."""
        return [author for author, contents in self._contents.items() if content in contents]

    def do_at_once(self, todo: Plan) -> dict[str, str]:
        """All that needs nothing from others; returns what could not be done, with the reason.

        What lies here under another name is copied first, before that one is deleted: so a file that was
        renamed elsewhere does not travel.
        """
        failed: dict[str, str] = {}

        def attempt(name: str, action: Callable[[], bool]) -> None:
            try:
                self.must_scan |= action()
            except (OSError, InTheWay, PartDamaged, VersionUsedUp, FileRefused) as error:
                failed[name] = in_words(error)

        copied: list[Wanted] = []
        for wanted in todo.wanted:
            attempt(wanted.entry.name, partial(self._copy, wanted, copied))
        for entry in todo.adopt:
            attempt(entry.name, partial(self._installer.adopt, entry))
        for aside in todo.aside:
            attempt(aside.name, partial(self._installer.move_aside, aside))
        for entry in todo.deleted:
            attempt(entry.name, partial(self._installer.delete, entry))
        for wanted in copied:
            attempt(wanted.entry.name, partial(self._install, wanted))
        return failed

    def begin(self, content: Content) -> Part:
        """What a file comes into, with what has come of it before, until its end. Raises NoRoom."""
        part = Part(self.tree, content)
        self._parts.add(part)
        missing = content.size - len(part.have) * CHUNK_BYTES
        if missing > 0 and missing + RESERVE_BYTES > (room := self.tree.room()):
            self.end(part)
            raise NoRoom(
                f"it needs {missing >> 20:,} MiB on the disk, and {room >> 20:,} are free: make room"
            )
        return part

    def end(self, part: Part) -> None:
        """Let go of a part; what has come stays on the disk."""
        if part in self._parts:
            self._parts.discard(part)
            part.close()

    def finish(self, name: str, part: Part) -> None:
        """All of a file has come: it becomes visible, if it is still wanted. Raises InTheWay, PartDamaged."""
        claims = {
            author: {name: entries[name]} for author, entries in self._claims.items() if name in entries
        }
        known = {name: self.index.files[name]} if name in self.index.files else {}
        for wanted in plan(known, claims, self._rules.ignores, _oldest_ns(time.time_ns())).wanted:
            if wanted.entry.content == part.content:
                self._gate.require_acceptable(wanted.entry, part)
                self.must_scan |= self._installer.make_visible(wanted, part)
                self._gate.came()

    def source(self, content: Content) -> FileSource | None:
        """A file that holds this, for others; None: there is none."""
        name = self.index.name_of(content)
        seen = self.tree.stat(name) if name is not None else None
        if name is None or seen is None or seen.size != content.size:
            return None
        return FileSource(self.tree, name, seen)

    def _copy(self, wanted: Wanted, copied: list[Wanted]) -> bool:
        """Into a part, what lies here; those that are complete then are added to `copied`."""
        content = wanted.entry.content
        if content is None or any(part.content == content for part in self._parts):
            return False  # it comes just now
        source = None if content in self._damaged else self.source(content)
        if source is None and content.size and self.tree.status(part_name(content)) is None:
            return False
        part = self.begin(content)
        try:
            if source is not None:
                with discarded_when_full(part), suppress(FileChanged):
                    for place in set(range(content.chunks)) - part.have:
                        start = place * CHUNK_BYTES
                        part.store(place, source.read(start, min(CHUNK_BYTES, content.size - start)))
            if part.is_complete:
                copied.append(wanted)
        finally:
            self.end(part)
        return False

    def _install(self, wanted: Wanted) -> bool:
        assert wanted.entry.content is not None
        with closing(Part(self.tree, wanted.entry.content)) as part:
            if not part.is_complete:  # another file with this content has taken it; it is copied again
                return True
            self._gate.require_acceptable(wanted.entry, part)
            try:
                must_scan = self._installer.make_visible(wanted, part)
            except PartDamaged:
                self._damaged.add(part.content)
                raise
            self._gate.came()
            return must_scan

    def _opened(self, data: bytes, author: PublicKey) -> Manifest:
        """What is as it is here takes no memory once more. Raises ManifestRefused."""

        def same(entry: Entry) -> Entry:
            local = self.index.files.get(entry.name)
            return local.entry if local is not None and local.entry == entry else entry

        return opened(data, self.settings.id, author, same)

    def _take(self, author: KeyId, manifest: Manifest) -> None:
        self._claims[author] = manifest.entries
        self._contents[author] = frozenset(entry.content for entry in manifest.entries.values())
        self._sequences[author] = manifest.sequence

    def _forget_deletions(self, oldest_ns: int) -> None:
        """Those before this time. Whoever has the file by its last word has not been heard of since then, and
        counts as one who has said nothing until it says that once more, or the file would be waited for."""
        entries = self.index.deletions_before(oldest_ns)
        for author, claimed in list(self._claims.items()):
            others = ((entry, claimed[entry.name]) for entry in entries if entry.name in claimed)
            if any(other.version.compared(entry.version) is Order.OLDER for entry, other in others):
                sequence = self._sequences[author] - 1
                self.index.keep_manifest(author, sequence, b"")
                self._forget_claims(author, sequence)
        self.index.forget(*(entry.name for entry in entries))

    def _forget_claims(self, author: KeyId, sequence: int) -> None:
        self._claims[author], self._contents[author] = {}, frozenset()
        self._sequences[author] = sequence

    def _require_mark(self) -> None:
        """Raise FolderUnusable unless the folder is the one that it was. One that is new gets its mark."""
        if not self.tree.is_in_place():
            raise FolderUnusable(
                f"{self.settings.path} is not the folder any more that was shared: it was moved or removed, "
                "or a disk is mounted there now. Nothing counts as deleted."
            )
        try:
            mark = self.tree.read(MARK, 256).decode(errors="replace").strip()
        except FileNotFoundError:
            if self.index.is_marked:
                raise FolderUnusable(
                    f"{self.settings.path} is not the folder that was shared: {MARK} is missing. Is a disk "
                    "not mounted? Nothing counts as deleted. If the folder is to be shared as it is, remove "
                    "it from the shared folders, and add it under another id."
                ) from None
            descriptor = self.tree.create(MARK)
            with os.fdopen(descriptor, "wb") as file:
                file.write(f"{self.settings.id}\n".encode())
            mark = self.settings.id
        if mark != self.settings.id:
            raise FolderUnusable(f"{self.settings.path} is shared as {mark!r} already, by another node.")
        if not self.index.is_marked:
            self.index.mark()

    def _remove_stale_parts(self) -> None:
        """Of files that nobody has any more."""
        claimed = frozenset().union(*self._contents.values())
        wanted = {part_name(content) for content in claimed if content is not None}
        if self.tree.status(PARTS) is None:
            return
        with self.tree.folder(PARTS) as descriptor:
            lasts = os.listdir(descriptor)  # noqa: PTH208 - a descriptor has no path
        for last in lasts:
            if f"{PARTS}/{last.removesuffix('.chunks')}" not in wanted:
                self.tree.remove(f"{PARTS}/{last}")


def _oldest_ns(now_ns: int) -> int:
    """Deletions before it are remembered no more."""
    return now_ns - DELETIONS_KEPT_DAYS * 86_400 * 1_000_000_000
