"""Whoever comes to a node's port and is nobody: turned away, while members come and talk."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import cycle, islice
from pathlib import Path

import psutil
import pytest

from shared.address import Address
from tests.support.mesh_crew import pair, told, wait_until_they_see
from tests.support.mesh_nodes import MeshNode
from tests.support.strangers import SOURCES, connected, half_a_handshake
from tests.support.tools import require
from tests.support.waiting import wait_until

CROWD = 2_000
FEW_FILES = 512
"""That the node may have open, as many as little machines and services allow: less than come."""
MEMORY_BYTES = 200 << 20


def crowd(
    address: Address, kind: Callable[[Address, str], socket.socket], count: int, ending: ExitStack
) -> list[socket.socket]:
    """So many of them, from many addresses; those are left out that are turned away at once."""
    connections = []
    for source in islice(cycle(SOURCES), count):
        with suppress(OSError):
            connections.append(ending.enter_context(closing(kind(address, source))))
    return connections


@contextmanager
def without_end(address: Address) -> Iterator[None]:
    """New ones that say nothing, as fast as one thread makes them; none of the last CROWD goes by itself."""
    is_over = threading.Event()

    def come() -> None:
        with ExitStack() as all_of_them:
            rows: deque[list[socket.socket]] = deque()
            while not is_over.is_set():
                rows.append(crowd(address, connected, len(SOURCES), all_of_them))
                if len(rows) * len(SOURCES) > CROWD:
                    for left in rows.popleft():  # who was turned away long ago
                        left.close()

    thread = threading.Thread(target=come)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@pytest.fixture
def ana(tmp_path: Path, ending: ExitStack) -> MeshNode:
    """Who is visited by strangers."""
    limited = (require("prlimit", why="a node has few files (Debian: util-linux)"), f"--nofile={FEW_FILES}")
    node = MeshNode("ana", tmp_path / "ana", before=limited)
    ending.callback(node.end)
    return node


@pytest.fixture
def ben(ana: MeshNode, tmp_path: Path, ending: ExitStack) -> MeshNode:
    """A member of hers, that is away."""
    node = MeshNode("ben", tmp_path / "ben")
    ending.callback(node.end)
    pair((ana, node))
    wait_until_they_see((ana, node), (ana, node))
    node.end()
    wait_until_they_see((ana,), ())
    return node


def require_back(ben: MeshNode, ana: MeshNode, ending: ExitStack) -> None:
    """He comes again, at another port, so that it is him who connects, and talks to her."""
    again = MeshNode("ben", ben.home)
    ending.callback(again.end)
    wait_until_they_see((ana, again), (ana, again))
    told(again, "send", to="ana", text="in spite of them")
    ana.wait_for_output("message from ben: in spite of them")


@pytest.mark.parametrize("kind", [connected, half_a_handshake], ids=["silent", "half a handshake"])
def test_two_thousand_who_say_nothing_keep_no_member_out(
    ana: MeshNode, ben: MeshNode, ending: ExitStack, kind: Callable[[Address, str], socket.socket]
) -> None:
    process = psutil.Process(ana.process.pid)
    before = process.memory_info().rss

    crowd(address_of(ana), kind, CROWD, ending)
    require_back(ben, ana, ending)

    assert told(ana, "status")["refused"]["too-many"] > CROWD // 2
    assert process.memory_info().rss - before < MEMORY_BYTES
    assert "Traceback" not in ana.output
    wait_until(lambda: connections_of(ana) < 10, "all of them were turned away", 60.0)


def test_nor_do_those_who_come_without_end(ana: MeshNode, ben: MeshNode, ending: ExitStack) -> None:
    with without_end(address_of(ana)):
        wait_until(lambda: told(ana, "status")["refused"].get("too-many", 0) > CROWD, "they are many", 60.0)
        require_back(ben, ana, ending)
    assert "Traceback" not in ana.output


def address_of(node: MeshNode) -> Address:
    """Where it listens."""
    return Address("127.0.0.1", int(node.port))


def connections_of(node: MeshNode) -> int:
    """How many it has open, to its port and from it."""
    found = psutil.Process(node.process.pid).net_connections("tcp")
    return sum(each.status == psutil.CONN_ESTABLISHED for each in found)
