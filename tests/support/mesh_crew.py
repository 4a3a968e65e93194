"""Nodes of the mesh that all know each other: paired, told what to do, and compared."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from mesh.control import Json, NodeRefused, ask
from mesh.files.names import OWN_FOLDER
from mesh.trust.folder import folder_of
from tests.support.mesh_nodes import MeshNode
from tests.support.waiting import wait_until

StartNode = Callable[..., MeshNode]

THERE = ("online", "rejoined")
PATIENCE_S = 120.0


def told(node: MeshNode, command: str, **fields: Any) -> Json:
    """What a node answers to a command of its user's, without a process for it. Raises NodeRefused."""
    return ask(folder_of(node.home, node.called), command, **fields)


def pair(nodes: Sequence[MeshNode]) -> None:
    """Have each trust each other."""

    def join(both: tuple[MeshNode, MeshNode]) -> None:
        news: list[Json] = []
        inviting, joining = both
        ask(folder_of(inviting.home, inviting.called), "invite", news.append, addresses=[], waits=False)
        told(joining, "join", invitation=news[0]["invitation"])

    with ThreadPoolExecutor(len(nodes)) as people:
        list(people.map(join, itertools.combinations(nodes, 2)))


def seen_by(node: MeshNode) -> set[str]:
    """The names of those whom it can reach."""
    return {peer["name"] for peer in told(node, "peers")["peers"] if peer["state"] in THERE}


def wait_until_they_see(nodes: Sequence[MeshNode], others: Iterable[MeshNode]) -> None:
    """Wait until each of `nodes` reaches all `others`, and nobody else."""
    names = {other.called for other in others}

    def missing() -> dict[str, set[str]]:
        seen = {node.called: seen_by(node) ^ (names - {node.called}) for node in nodes}
        return {name: wrong for name, wrong in seen.items() if wrong}

    wait_until(lambda: not missing(), f"all reach {sorted(names)}", PATIENCE_S)


def end_all(nodes: Sequence[MeshNode]) -> None:
    """End them at once: each says goodbye to those who look for it, which takes its time."""
    with ThreadPoolExecutor(max(len(nodes), 1)) as people:
        list(people.map(MeshNode.end, nodes))


@contextmanager
def starting_nodes(home: Path) -> Iterator[StartNode]:
    """Starts nodes, each in a folder of its name, until the block ends: `start("ana", "--flag")`."""
    nodes: list[MeshNode] = []

    def start(name: str, *flags: str) -> MeshNode:
        nodes.append(MeshNode(name, home / name, *flags))
        return nodes[-1]

    try:
        yield start
    finally:
        end_all(nodes)


def share(node: MeshNode, folder: str) -> Path:
    """Have it share a folder with all its members; where it is."""
    path = node.home / folder
    told(
        node,
        "sync-add",
        id=folder,
        path=str(path),
        members=None,
        receive_only=False,
        keep=2,
        keep_days=1,
    )
    return path


def tree(folder: Path) -> Mapping[str, bytes]:
    """What is shared of a folder, by name."""
    files = (path for path in folder.rglob("*") if path.is_file())
    names = {str(path.relative_to(folder)): path for path in files}
    return {
        name: path.read_bytes() for name, path in sorted(names.items()) if not name.startswith(OWN_FOLDER)
    }


def wait_until_alike(folders: Sequence[Path], names: Iterable[str]) -> Mapping[str, bytes]:
    """Wait until all have the same files, among them these; what they have."""

    def look() -> bool:
        try:
            first, *rest = map(tree, folders)
        except FileNotFoundError:
            return False  # a file was taken away meanwhile
        return set(names) <= first.keys() and all(other == first for other in rest)

    wait_until(look, f"{sorted(names)} are alike in {list(map(str, folders))}", PATIENCE_S)
    return tree(folders[0])


class Stream:
    """One node sends numbers to another, one after the other, until it is told to end."""

    def __init__(self, sender: MeshNode, receiver: MeshNode) -> None:
        self.sender, self.receiver = sender, receiver
        self.confirmed: set[int] = set()
        self.unsure: set[int] = set()
        """Those that were not confirmed in time."""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self) -> Stream:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(30.0)
        assert not self._thread.is_alive(), "a message is confirmed, or said to be not, in time"

    def received(self) -> list[int]:
        """What has come, in the order in which it came."""
        words = rf"message from {self.sender.called}: number (\d+)"
        return [int(number) for number in re.findall(words, self.receiver.output)]

    def _send(self) -> None:
        for number in itertools.count():
            if self._ended.wait(0.05):
                return
            try:
                told(self.sender, "send", to=self.receiver.called, text=f"number {number}")
            except NodeRefused:
                self.unsure.add(number)
            else:
                self.confirmed.add(number)
