"""Nodes that share a folder without a network: a test carries manifests and contents from one to another."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from mesh.files.folder import Folder
from mesh.files.names import IGNORE_FILE, OWN_FOLDER
from mesh.files.parts import Part
from mesh.files.settings import FolderSettings
from mesh.node import CHUNK_BYTES, Content
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair, PublicKey

FOLDER = "papers"


@cache
def node_key(number: int) -> KeyPair:
    """The same key for all tests: making one takes its time."""
    return KeyPair.make()


class FileNode:
    """One node."""

    def __init__(self, home: Path, number: int, **settings: bool | int) -> None:
        self.key = node_key(number)
        self.id = self.key.public.id
        self.root = home / f"node{number}"
        self.root.mkdir(parents=True, exist_ok=True)
        self._home = home / f"home{number}"
        self._settings = FolderSettings(FOLDER, self.root, **settings)  # type: ignore[arg-type]
        self.folder = Folder(self._settings, self._home, self.key)
        self.is_open = True

    def close(self) -> None:
        """Its process ends."""
        if self.is_open:
            self.is_open = False
            self.folder.close()

    def restart(self) -> None:
        """Its process has ended, and starts anew."""
        self.close()
        self.folder = Folder(self._settings, self._home, self.key)
        self.is_open = True

    def write(self, name: str, data: bytes | str) -> None:
        """Somebody writes a file, as programs do: in place, or a new one."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)

    def read(self, name: str) -> str:
        """What a file holds."""
        return (self.root / name).read_text()

    def files(self) -> dict[str, bytes]:
        """What people see in the folder."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and path.relative_to(self.root).parts[0] not in (OWN_FOLDER, IGNORE_FILE)
        }

    def copies(self) -> list[bytes]:
        """What lies there beside files that others have changed, too."""
        return [data for name, data in self.files().items() if "sync-conflict" in name]

    def old_versions(self) -> list[bytes]:
        """What is kept of files that were replaced or deleted."""
        kept = self.root / OWN_FOLDER / "versions"
        return [path.read_bytes() for path in kept.rglob("*") if path.is_file()]

    def hear(self, other: FileNode) -> None:
        """It gets what another says now, if that is new."""
        data = other.folder.manifest()
        self.folder.know({**self._known, other.id: other.key.public})
        if self.folder.heard(other.id) < other.folder.index.sequence:
            self.folder.accept(other.id, other.key.public, data)

    @property
    def _known(self) -> Mapping[KeyId, PublicKey]:
        return {node_key(number).public.id: node_key(number).public for number in range(8)}

    def follow(self, others: Iterable[FileNode]) -> dict[str, str]:
        """Do what its plan says, with what these give it; returns what could not be done."""
        holders = {other.id: other for other in others}
        failed = self.folder.do_at_once(self.folder.plan())
        for wanted in self.folder.plan().wanted:
            content = wanted.entry.content
            assert content is not None
            for holder in self.folder.holders(content):
                if holder in holders and self._fetch(content, holders[holder]):
                    break
            else:
                continue
            with self._part(content) as part:
                self.folder.finish(wanted.entry.name, part)
        return failed

    @contextmanager
    def _part(self, content: Content) -> Iterator[Part]:
        part = self.folder.begin(content)
        try:
            yield part
        finally:
            self.folder.end(part)

    def _fetch(self, content: Content, holder: FileNode) -> bool:
        source = holder.folder.source(content)
        if source is None:
            return False
        with self._part(content) as part:
            for place in range(content.chunks):
                start = place * CHUNK_BYTES
                part.store(place, source.read(start, min(CHUNK_BYTES, content.size - start)))
        return True


@contextmanager
def file_nodes(home: Path, count: int) -> Iterator[tuple[FileNode, ...]]:
    """So many nodes, which end with the block."""
    nodes = tuple(FileNode(home, number) for number in range(count))
    try:
        yield nodes
    finally:
        for node in nodes:
            node.close()


def hear(node: FileNode, other: FileNode) -> None:
    """The other looks at its disk, and tells what it has."""
    other.folder.scan()
    node.hear(other)


def exchange(nodes: Iterable[FileNode]) -> None:
    """These hear each other, and do what there is to do, until nothing changes."""
    nodes = list(nodes)
    for _ in range(20):
        before = [node.folder.index.changes for node in nodes]
        for node in nodes:
            node.folder.scan()
        for node in nodes:
            for other in nodes:
                if other is not node:
                    node.hear(other)
        for node in nodes:
            node.follow(other for other in nodes if other is not node)
        is_settled = before == [node.folder.index.changes for node in nodes]
        if is_settled and not any(node.folder.must_scan for node in nodes):
            return
    raise AssertionError("they have not come to an end")


def set_time(path: Path, seconds: float) -> None:
    """When a file was changed, by its node's clock."""
    os.utime(path, (seconds, seconds))
