"""Whatever people do at three nodes that come and go in any order: in the end all have the same files, and
everything that was ever written is in one of them, or among the old versions of one."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mesh.files.names import fold
from tests.support.file_nodes import FileNode, exchange, set_time

NODES = 4
NAMES = ["a", "b", "folder/a", "folder/b", "B", "a/under", "long name.tar.gz"]
"""With some that cannot lie side by side everywhere: b and B, and a file a beside a folder a."""

IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where there is no disk to wait for."""

somebody = st.integers(0, NODES - 1)
names = st.sampled_from(NAMES)


class SharedFolder(RuleBasedStateMachine):
    """What people and the network do."""

    @initialize()
    def start(self) -> None:
        self._folder = tempfile.TemporaryDirectory(dir=IN_MEMORY)
        self.nodes = [FileNode(Path(self._folder.name), number, keep=1_000) for number in range(NODES)]
        self.written: set[bytes] = set()
        self.removed_by_people: set[bytes] = set()
        """What somebody has deleted, or written over, and meant to."""
        self._numbers = count()

    @rule(node=somebody, name=names, size=st.sampled_from([0, 1, 300_000]), clock=st.integers(0, 3))
    def write(self, node: int, name: str, size: int, clock: int) -> None:
        """With content that nothing else has, unless it is empty; clocks are wrong."""
        data = f"{next(self._numbers)} ".encode().ljust(size, b"-") if size else b""
        self._people_remove(node, name)
        with suppress(OSError):  # a folder of that name is there, or a file where a folder would have to be
            self.nodes[node].write(name, data)
            set_time(self.nodes[node].root / name, 1_000_000_000 + clock)
            self.written.add(data)

    @rule(node=somebody, name=names)
    def delete(self, node: int, name: str) -> None:
        self._people_remove(node, name)
        with suppress(OSError):
            (self.nodes[node].root / name).unlink()

    @rule(node=somebody, name=names, new=names)
    def rename(self, node: int, name: str, new: str) -> None:
        source, target = self.nodes[node].root / name, self.nodes[node].root / new
        if source.is_file() and not os.path.lexists(target):
            with suppress(OSError):
                target.parent.mkdir(parents=True, exist_ok=True)
                source.rename(target)

    @rule(node=somebody, name=names)
    def make_executable(self, node: int, name: str) -> None:
        with suppress(OSError):
            (self.nodes[node].root / name).chmod(0o755)

    @rule(node=somebody)
    def restart(self, node: int) -> None:
        self.nodes[node].restart()

    @rule(node=somebody)
    def look(self, node: int) -> None:
        self.nodes[node].folder.scan()

    @rule(node=somebody, other=somebody)
    def meet(self, node: int, other: int) -> None:
        """One hears what another says, and gets what that has."""
        if node != other:
            self.nodes[node].folder.scan()
            self.nodes[other].folder.scan()
            self.nodes[node].hear(self.nodes[other])
            self.nodes[node].follow([self.nodes[other]])

    @rule(node=somebody, other=somebody)
    def hear_only(self, node: int, other: int) -> None:
        """Nothing is fetched, and files may change before it is."""
        if node != other:
            self.nodes[other].folder.scan()
            self.nodes[node].hear(self.nodes[other])

    @rule(node=somebody)
    def go_on(self, node: int) -> None:
        """What was heard before is done now, without a look at what has changed here meanwhile."""
        self.nodes[node].follow(other for other in self.nodes if other is not self.nodes[node])

    @invariant()
    def nothing_is_lost(self) -> None:
        everywhere = {data for node in self.nodes for data in (*node.files().values(), *node.old_versions())}
        assert self.written <= everywhere | self.removed_by_people

    def teardown(self) -> None:
        if not hasattr(self, "nodes"):
            return
        try:
            exchange(self.nodes)
            shared = [_shared(node) for node in self.nodes]
            assert shared == [shared[0]] * NODES
            assert len(set(map(fold, shared[0]))) == len(shared[0])
            self.nothing_is_lost()
        finally:
            for node in self.nodes:
                node.close()
            self._folder.cleanup()

    def _people_remove(self, node: int, name: str) -> None:
        with suppress(OSError):
            self.removed_by_people.add((self.nodes[node].root / name).read_bytes())


def _shared(node: FileNode) -> dict[str, bytes]:
    """Without those beside which another lies that some systems would take for the same."""
    left_out = {item.name for item in node.folder.not_shared}
    return {name: data for name, data in node.files().items() if name not in left_out}


TestSharedFolder = SharedFolder.TestCase
TestSharedFolder.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
