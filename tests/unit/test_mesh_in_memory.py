"""The stand-in for a mesh keeps what `mesh.node.Mesh` promises, so that tests on it mean something."""

from __future__ import annotations

import asyncio

import pytest

from mesh.node import CHUNK_BYTES, MAX_BODY_BYTES, ContentUnavailable, Mesh, PeerState, Received, Unreachable
from tests.support.in_loop import in_loop
from tests.support.mesh_in_memory import Faults, MemoryNetwork


class Bytes:
    """A Source whose bytes can be changed behind the offer."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, start: int, length: int) -> bytes:
        return self.data[start : start + length]


@in_loop
async def test_a_message_comes_once_and_a_flood_to_all_but_its_sender() -> None:
    network = MemoryNetwork()
    nodes: list[Mesh] = [network.node(name) for name in "abc"]
    got: list[tuple[int, Received]] = []
    for place, node in enumerate(nodes):
        node.on("t", lambda received, place=place: got.append((place, received)))  # type: ignore[misc]

    await nodes[0].send(nodes[1].me, "t", b"hello")
    assert got == [(1, Received(nodes[0].me, "t", b"hello"))]

    got.clear()
    nodes[2].flood("t", b"all")
    await asyncio.sleep(0.05)
    assert sorted(place for place, _ in got) == [0, 1]


@in_loop
async def test_what_is_lost_or_unsure_raises_unreachable_and_only_the_unsure_comes() -> None:
    network = MemoryNetwork()
    first, second = network.node("a"), network.node("b")
    got: list[Received] = []
    second.on("t", got.append)

    network.faults = Faults(loss=1.0)
    with pytest.raises(Unreachable):
        await first.send(second.me, "t", b"lost")
    assert not got

    network.faults = Faults(unsure=1.0)
    with pytest.raises(Unreachable):
        await first.send(second.me, "t", b"unsure")
    assert [received.body for received in got] == [b"unsure"]


@in_loop
async def test_a_cut_and_an_absence_are_seen_and_end() -> None:
    network = MemoryNetwork()
    first, second, third = (network.node(name) for name in "abc")
    changes: list[int] = []
    first.watch(lambda: changes.append(1))

    network.cut([first, second], [third])
    assert [view.state for view in first.peers()] == [PeerState.ONLINE, PeerState.OFFLINE]
    with pytest.raises(Unreachable):
        await first.send(third.me, "t", b"")
    network.heal()
    assert [view.state for view in first.peers()] == [PeerState.ONLINE, PeerState.REJOINED]
    network.leave(second)
    assert [view.state for view in first.peers()] == [PeerState.OFFLINE, PeerState.REJOINED]
    network.come_back(second)
    await first.send(second.me, "t", b"")
    assert len(changes) == 4


@in_loop
async def test_content_comes_whole_and_what_is_there_already_is_not_fetched() -> None:
    network = MemoryNetwork(faults=Faults(loss=0.2))
    first, second, third = (network.node(name) for name in "abc")
    data = bytes(range(256)) * 4_000
    content = await first.offer(Bytes(data), len(data))
    assert content == await second.offer(Bytes(data), len(data))

    chunks: dict[int, bytes] = {}
    await third.fetch(content, [first.me, second.me], chunks.__setitem__, have={1})
    assert sorted(chunks) == [0, 2, 3]
    assert all(chunk == data[place * CHUNK_BYTES :][:CHUNK_BYTES] for place, chunk in chunks.items())


@in_loop
async def test_content_that_has_changed_or_was_withdrawn_is_not_given() -> None:
    network = MemoryNetwork()
    first, second = network.node("a"), network.node("b")
    source = Bytes(b"x" * 1_000)
    content = await first.offer(source, 1_000)
    source.data = b"y" * 1_000
    with pytest.raises(ContentUnavailable):
        await second.fetch(content, [first.me], lambda place, chunk: None)
    source.data = b"x" * 1_000
    await second.fetch(content, [first.me], lambda place, chunk: None)
    first.withdraw(content)
    with pytest.raises(ContentUnavailable):
        await second.fetch(content, [first.me], lambda place, chunk: None)


@in_loop
async def test_a_message_that_is_too_large_is_the_callers_mistake() -> None:
    network = MemoryNetwork()
    first, second = network.node("a"), network.node("b")
    with pytest.raises(ValueError, match="larger"):
        await first.send(second.me, "t", bytes(MAX_BODY_BYTES + 1))


@in_loop
async def test_a_node_that_has_started_anew_offers_nothing_of_before() -> None:
    network = MemoryNetwork()
    first, second = network.node("a"), network.node("b")
    content = await first.offer(Bytes(b"x"), 1)
    again = network.node("a")
    assert again.me == first.me
    with pytest.raises(ContentUnavailable):
        await second.fetch(content, [again.me], lambda place, chunk: None)
