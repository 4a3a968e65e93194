"""AuditLog: takes what happens from any thread, and gives it to the store's writer in the order it came.

An entry gets its place when it is written, in one transaction with the events of the same moment, so that a
transaction that fails leaves no hole and nothing is signed that a power cut could take back. With each such
transaction goes a checkpoint over all entries; nobody sees it before it is on the disk.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Self

from app.audit.decided import Decision
from app.audit.entry import Draft, Entry, Kind
from app.audit.witnesses import Witnesses
from app.records import AuditStatus
from app.store.audit import AuditBatch, Cosignature
from app.store.store import Store
from shared.errors import StoreUnavailable
from shared.security.checkpoint import Checkpoint
from shared.security.keys import KeyPair, PublicKey
from shared.security.merkle import Hash, LogTree, leaf_hash

SHOWN = frozenset({Kind.SERVER_STARTED, Kind.SERVER_STOPPED, Kind.ROUND_COMPLETED, Kind.RUN_ENDED})
"""After these the clients are shown a new checkpoint. What else happens is in the next of those."""


class AuditLog:
    """Of one server. Any thread may record; the writer's takes, and tells what it has kept."""

    def __init__(self, log_id: bytes, key: KeyPair, tree: LogTree, newest: Checkpoint | None = None) -> None:
        """`tree` and `newest`: what the log has come to before this server started."""
        self.id = log_id
        self.witnesses = Witnesses()
        self._key = key
        self._tree = tree
        self._newest = newest
        self._shown = newest
        self._moment = threading.RLock()
        self._drafts: deque[Draft] = deque()
        self._cosignatures: deque[Cosignature] = deque()
        self._keys: set[tuple[str, str]] = set()
        self._recorded = tree.size
        self._wake: list[Callable[[], None]] = []
        self._listeners: list[Callable[[], object]] = []

    @classmethod
    def open(cls, store: Store, key: KeyPair) -> Self:
        """The log that a store has kept, or a new one; takes some seconds for a million entries.

        Raises StoreUnavailable when it cannot be read, or is not what was signed.
        """
        tree = LogTree()
        for entry in store.audit.all_entries():
            tree.add(leaf_hash(entry))
        newest = store.audit.newest_checkpoint()
        _require_as_signed(tree, newest)
        opened = cls(store.audit_log_id(), key, tree, newest)
        for entry in store.audit.of_kind(Kind.CLIENT_JOINED):
            fields = Entry.parse(entry).fields
            opened._keys.add((fields["client"], fields["key"]))
        for cosignature in store.audit.newest_cosignatures():
            opened.witnesses.cosigned(cosignature)
        return opened

    # what happens, in any thread

    def record(self, kind: str, **fields: Any) -> None:
        """Enter what happened. Never waits for the disk, and never loses: the entry is kept with the next
        transaction, as soon as there can be one."""
        draft = Draft.of(time.time_ns() // 1_000_000, kind, fields)
        with self._moment:
            self._drafts.append(draft)
            self._recorded += 1
        self._wake_writer()

    @contextmanager
    def moment(self) -> Iterator[None]:
        """Entries and events of one moment: the store has all of them or none.

        Others wait meanwhile: nothing is done in it that blocks, or that takes the lock of a run book.
        """
        with self._moment:
            yield

    def joined(self, client_id: str, key: PublicKey, **fields: Any) -> None:
        """A client with this key was let in; entered if it is the first time."""
        with self._moment:
            known = (client_id, str(key.id))
            if known not in self._keys:
                self._keys.add(known)
                self.record(
                    Kind.CLIENT_JOINED, client=client_id, key=known[1], public_key=key.der.hex(), **fields
                )

    def decided(self, decision: Decision, by: str, address: str | None = None) -> None:
        """Somebody has decided on who may join, or on the server's key."""
        self.record(decision.kind, **decision.fields, by=by, address=address)

    def cosigned(self, cosignature: Cosignature) -> None:
        """A client has seen a checkpoint, which was verified."""
        with self._moment:
            self._cosignatures.append(cosignature)
        self._wake_writer()

    # reading, in any thread

    @property
    def recorded(self) -> int:
        """How many entries there are, with those that are not on the disk yet."""
        return self._recorded

    @property
    def kept(self) -> int:
        """How many are on the disk."""
        return self._tree.size

    @property
    def newest(self) -> Checkpoint | None:
        """The newest checkpoint, over all that is on the disk."""
        return self._newest

    @property
    def shown(self) -> Checkpoint | None:
        """The checkpoint that clients are to see."""
        return self._shown

    def proof(self, old_size: int, size: int) -> list[Hash]:
        """That the log of `size` entries was made from that of `old_size`; none where there is none."""
        with self._moment:
            if not 0 < old_size <= size <= self._tree.size:
                return []
            return self._tree.consistency_proof(old_size, size)

    def status(self) -> AuditStatus:
        """As the page shows it."""
        newest = self._newest
        return AuditStatus(
            log=self.id.hex(),
            key=str(self._key.public.id),
            size=newest.size if newest else 0,
            root=newest.root.hex() if newest else None,
            time=newest.time / 1000 if newest else None,
            witnesses=self.witnesses.all(),
        )

    def on_wake(self, wake: Callable[[], None]) -> None:
        """`wake` is called, in any thread, when there is something to write."""
        self._wake.append(wake)

    def on_change(self, listener: Callable[[], object]) -> None:
        """`listener` is called in the writer's thread when something new is on the disk."""
        self._listeners.append(listener)

    def off_change(self, listener: Callable[[], object]) -> None:
        """Undo `on_change`."""
        self._listeners.remove(listener)

    # in the writer's thread

    @property
    def has_news(self) -> bool:
        """Whether there is something to write."""
        return bool(self._drafts or self._cosignatures)

    def batch(self, up_to: int) -> AuditBatch:
        """The entries that are to be written so that there are so many, each in its place, with the
        checkpoint over all; it stays so until `keep`."""
        first = self._tree.size
        with self._moment:
            drafts = tuple(islice(self._drafts, up_to - first))
            cosignatures = tuple(self._cosignatures)
        entries = [(draft.kind, draft.at(first + place)) for place, draft in enumerate(drafts)]
        return AuditBatch(first, entries, self._sign(entries) if entries else None, cosignatures)

    def keep(self, batch: AuditBatch) -> None:
        """What was written is on the disk."""
        if not batch:
            return
        with self._moment:
            for _ in batch.entries:
                self._drafts.popleft()
            for _ in batch.cosignatures:
                self._cosignatures.popleft()
            for _, entry in batch.entries:
                self._tree.add(leaf_hash(entry))
            self._newest = batch.checkpoint or self._newest
            if not SHOWN.isdisjoint(kind for kind, _ in batch.entries):
                self._shown = self._newest
        for cosignature in batch.cosignatures:
            self.witnesses.cosigned(cosignature)
        for listener in tuple(self._listeners):
            listener()

    def _sign(self, entries: list[tuple[str, bytes]]) -> Checkpoint:
        """The checkpoint once these entries are there."""
        frontier = self._tree.frontier()
        for _, entry in entries:
            frontier.add(leaf_hash(entry))
        now = time.time_ns() // 1_000_000
        return Checkpoint.sign(self.id, frontier.size, frontier.root, now, self._key)

    def _wake_writer(self) -> None:
        for wake in self._wake:
            wake()


def _require_as_signed(tree: LogTree, newest: Checkpoint | None) -> None:
    """Raise StoreUnavailable unless the entries are those over which the server has signed last."""
    if newest is None and tree.size == 0:
        return
    if newest is None or tree.size != newest.size or tree.root(newest.size) != newest.root:
        signed = newest.size if newest else 0
        raise StoreUnavailable(
            f"The audit log in the store is not the one that this server has signed: it has {tree.size:,} "
            f"entries, and {signed:,} were signed, or one of them has changed. Somebody has changed the "
            "database, or it is damaged. Nothing was changed now. Put a backup of it in its place, or move "
            "it away to begin with an empty store; the clients will notice either."
        )
