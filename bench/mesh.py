"""`mesh`: how soon a model is everywhere, in a mesh of processes on one machine."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.crew import Crew
from bench.mesh_rounds import rounds_to_agree
from bench.report import FEDLOOM, Result, medians, this_machine
from bench.tree import TREE, tree_s
from mesh.members import Member, Origin
from mesh.node import CHUNK_BYTES, Content, PeerState, Received
from mesh.p2p_network import MeshSettings, P2PNetwork
from shared.address import Address
from shared.canonical import canonical, from_canonical
from shared.console import configure_logging
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair, PublicKey

REACH_S = 5.0
CHORDS = 5
TOPIC = "bench/model"
LOOK_S = 0.02


def measure(repeats: int, quick: bool) -> Result:
    """Both take turns, each time with new processes."""
    machine = this_machine()
    nodes, size = (6, 2_000_000) if quick else (20, 10_000_000)
    runs = []
    for _ in range(repeats):
        runs.append({TREE: tree_s(ring_with_chords(nodes), nodes, size), FEDLOOM: _mesh_s(nodes, size)})
    beside = medians(runs)
    return Result(
        name="mesh",
        title=f"{nodes} peers in a ring with {CHORDS} chords: until a model of {size / 1e6:.0f} MB that one "
        "of them has is everywhere, and verified",
        value=beside.pop(FEDLOOM),
        unit="s",
        reach=REACH_S,
        beside=beside,
        runs=runs,
        runs_unit="s",
        figures=(rounds_to_agree(),),
        note="each peer takes it from a neighbour that has it, and offers it then; all of them share this "
        "machine's cores, and sign, encrypt and verify on them",
        quick=quick,
        machine=machine,
    )


def ring_with_chords(nodes: int) -> Sequence[tuple[int, int]]:
    """Links of nodes that are numbered from 0, the lower number first."""
    ring = [(number, (number + 1) % nodes) for number in range(nodes)]
    step = nodes // CHORDS
    chords = [(number * step, (number * step + nodes // 2) % nodes) for number in range(CHORDS)]
    return sorted({(min(link), max(link)) for link in [*ring, *chords] if link[0] != link[1]})


def _mesh_s(nodes: int, size: int) -> float:
    """Seconds from the word that there is a model to the last peer that has all of it."""
    links = ring_with_chords(nodes)
    with TemporaryDirectory(prefix="fedloom-bench-") as folder, Crew(*_peers(nodes, size, folder)) as crew:
        crew.tell(crew.hear())  # everybody's key
        ports = crew.hear()
        for number, pipe in enumerate(crew.pipes):
            pipe.send({low: ports[low] for low, high in links if high == number})
        crew.hear()  # everybody sees all others
        begun = time.monotonic()
        crew.tell("begin")
        return float(max(crew.hear())) - begun


def _peers(nodes: int, size: int, folder: str) -> tuple[Callable[..., None], Sequence[tuple[int, int, Path]]]:
    return _peer, [(number, size, Path(folder)) for number in range(nodes)]


def _peer(pipe: Connection, number: int, size: int, folder: Path) -> None:
    """Tell the own key, hear everybody's, tell the port, hear whom to connect to, tell that all are there,
    hear that it begins, and tell when the model is here."""
    configure_logging(f"peer-{number}")
    asyncio.run(_run(pipe, number, size, folder))


async def _run(pipe: Connection, number: int, size: int, folder: Path) -> None:
    key = KeyPair.make()
    pipe.send(key.public.der)
    members = _Everybody(number, [PublicKey(der) for der in await _hear(pipe)])
    async with P2PNetwork(MeshSettings(key, f"peer-{number}", folder / str(number)), members) as network:
        holder = _holder(network)
        pipe.send(network.address.port)
        members.connect_to(await _hear(pipe))
        while any(peer.state is PeerState.OFFLINE for peer in network.peers()):
            await asyncio.sleep(LOOK_S)
        pipe.send("all there")
        await _hear(pipe)
        model = random.Random(0).randbytes(size) if number == 0 else await _fetch(network, await holder)
        pipe.send(time.monotonic())
        content = await network.offer(_Model(model), size)
        network.flood(TOPIC, canonical([content.root.hex(), size]))
        await _hear(pipe)  # the benchmark's end, as EOFError


def _holder(network: P2PNetwork) -> asyncio.Future[Received]:
    """The first neighbour that says that it has the model; it comes to every peer by one."""
    found = asyncio.get_running_loop().create_future()

    def announced(received: Received) -> None:
        hops = {peer.key: peer.hops for peer in network.peers()}
        if hops[received.sender] == 1 and not found.done():
            found.set_result(received)

    network.on(TOPIC, announced)
    return found


async def _hear(pipe: Connection) -> Any:
    return await asyncio.to_thread(pipe.recv)


async def _fetch(network: P2PNetwork, announced: Received) -> bytes:
    root, size = from_canonical(announced.body)
    model = bytearray(size)

    def store(place: int, chunk: bytes) -> None:
        model[place * CHUNK_BYTES : place * CHUNK_BYTES + len(chunk)] = chunk

    await network.fetch(Content(bytes.fromhex(root), size), [announced.sender], store)
    return bytes(model)


class _Model:
    """A source of content."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, start: int, length: int) -> bytes:
        """These bytes."""
        return self._data[start : start + length]


class _Everybody:
    """All peers trust each other. Addresses are known of those that a peer is to connect to."""

    def __init__(self, me: int, keys: Sequence[PublicKey]) -> None:
        self._keys = keys
        self._members = {
            key.id: Member(key, f"peer-{number}", Origin.ROSTER)
            for number, key in enumerate(keys)
            if number != me
        }

    def connect_to(self, ports: Mapping[int, int]) -> None:
        """From now on these peers are found at these ports."""
        for number, port in ports.items():
            key = self._keys[number].id
            address = Address("127.0.0.1", port)
            self._members[key] = replace(self._members[key], addresses=(address,))

    def all(self) -> Mapping[KeyId, Member]:
        """As `Members.all`."""
        return self._members

    def watch(self, changed: Callable[[], None]) -> None:
        """Whom a peer trusts does not change here."""

    def found(self, key: KeyId, address: Address) -> None:
        """The links are to be those that are measured, so nobody connects to anybody else."""
