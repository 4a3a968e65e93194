"""The limit of `mesh`: the same bytes down a tree of plain sockets in TLS, whose links are those of the
mesh."""

from __future__ import annotations

import hashlib
import random
import socket
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from bench import tls
from bench.crew import BenchFailed, Crew
from mesh.node import CHUNK_BYTES

TREE = "a tree of plain sockets in TLS"
CONNECT_TIMEOUT_S = 60.0


def tree_s(links: Sequence[tuple[int, int]], nodes: int, size: int) -> float:
    """Seconds until all have the bytes of node 0, each from the node before it on a shortest way, as soon as
    that has them."""
    parents = _parents(links, nodes)
    arguments = [(size, sum(parent == number for parent in parents.values())) for number in range(nodes)]
    with Crew(_node, arguments) as crew:
        ports = crew.hear()
        for number, pipe in enumerate(crew.pipes):
            pipe.send(ports[parents[number]] if number in parents else None)
        crew.hear()  # all are connected
        begun = time.monotonic()
        crew.tell("begin")
        ends, digests = zip(*crew.hear(), strict=True)
        if len(set(digests)) > 1:
            raise BenchFailed("The bytes that went down the tree are not the same everywhere.")
        return float(max(ends)) - begun


def _parents(links: Sequence[tuple[int, int]], nodes: int) -> dict[int, int]:
    """Of all nodes but 0: the one before it, breadth first."""
    parents: dict[int, int] = {}
    edge = [0]
    while edge:
        following = []
        for here in edge:
            for other in sorted({*(b for a, b in links if a == here), *(a for a, b in links if b == here)}):
                if other != 0 and other not in parents:
                    parents[other] = here
                    following.append(other)
        edge = following
    if len(parents) < nodes - 1:
        raise BenchFailed("The links do not connect all nodes.")
    return parents


def _node(pipe: Connection, size: int, children: int) -> None:
    """Tell the port, hear that of the parent, tell that it is connected, hear that it begins, and tell when
    all has come, and its hash."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(CONNECT_TIMEOUT_S)
        pipe.send(listener.getsockname()[1])
        port = pipe.recv()
        parent = None
        if port is not None:
            plain = socket.create_connection(("127.0.0.1", port), CONNECT_TIMEOUT_S)
            # The handshake waits for the parent, which may wait for its own.
            parent = tls.client_side().wrap_socket(plain, do_handshake_on_connect=False)
        context = tls.server_side() if children else None
        below = []
        for _ in range(children):
            assert context is not None
            below.append(context.wrap_socket(listener.accept()[0], server_side=True))
        if parent is not None:
            parent.do_handshake()
        pipe.send("connected")
        pipe.recv()
        data = bytearray(random.Random(0).randbytes(size) if parent is None else bytes(size))
        view = memoryview(data)
        for start in range(0, size, CHUNK_BYTES):
            chunk = view[start : start + CHUNK_BYTES]
            filled = 0 if parent is not None else len(chunk)
            while parent is not None and filled < len(chunk):
                got = parent.recv_into(chunk[filled:])
                if not got:
                    raise BenchFailed("A node of the tree has ended before all was sent.")
                filled += got
            for child in below:
                child.sendall(chunk)
        pipe.send((time.monotonic(), hashlib.sha256(data).hexdigest()))
        for connection in (*below, *([parent] if parent else [])):
            connection.close()
