"""Content comes whole from whoever has it, chunk by chunk, over any network, or not at all and in words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.node import CHUNK_BYTES, Content
from mesh.protocol.counts import Reason
from mesh.protocol.effects import ReadChunk
from mesh.protocol.limits import Limits, Pace
from mesh.protocol.mesh_pb2 import ChunkRequest
from mesh.protocol.serving import Offer
from shared.security.merkle import EMPTY_ROOT, LogTree, inclusion_proof, leaf_hash
from tests.support.mesh_world import Weather, World, full, line, ring, star


def some_bytes(size: int) -> bytes:
    return (b"0123456789abcdef" * (size // 16 + 1))[:size]


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 7 * CHUNK_BYTES + 9])
def test_content_of_any_size_comes_over_several_hops(size: int) -> None:
    world = World(4, line(4))
    world.run(1)
    data = some_bytes(size)
    content = world.offer(data, 0)

    fetch = world.fetch(3, content, [0])
    world.run(3)

    assert world.nodes[3].fetched == {fetch: ""}
    assert world.content(3, fetch) == data


@given(
    loss=st.floats(0, 0.25),
    holders=st.sets(st.integers(1, 5), min_size=1, max_size=3),
    chunks=st.integers(1, 8),
    have=st.sets(st.integers(0, 7)),
    seed=st.integers(0, 1_000),
)
@settings(max_examples=15)
def test_over_a_bad_network_it_comes_whole_and_only_what_is_missing(
    loss: float, holders: set[int], chunks: int, have: set[int], seed: int
) -> None:
    weather = Weather(delay=(0.0, 0.3), loss=loss, doubled=0.1, reorder=True)
    world = World(6, [*ring(6), (0, 3)], seed=seed, weather=weather, pace=Pace(chunk_s=1.0, no_progress_s=90))
    world.run(5)
    data = some_bytes(chunks * CHUNK_BYTES - 5)
    content = world.offer(data, *holders)

    fetch = world.fetch(0, content, holders, have)
    world.run_until(lambda: fetch in world.nodes[0].fetched, 200)

    stored = world.nodes[0].stored.get(fetch, {})
    assert world.nodes[0].fetched == {fetch: ""}
    assert stored.keys() == set(range(chunks)) - have
    assert all(chunk == data[place * CHUNK_BYTES :][:CHUNK_BYTES] for place, chunk in stored.items())


def test_several_holders_are_asked_at_once_and_the_nearest_most() -> None:
    world = World(4, [(0, 1), (1, 2), (0, 3)])
    world.run(1)
    data = some_bytes(30 * CHUNK_BYTES)
    content = world.offer(data, 2, 3)

    fetch = world.fetch(0, content, [2, 3])
    world.run(5)

    assert world.content(0, fetch) == data
    sent = [world.nodes[holder].read for holder in (2, 3)]
    assert sum(sent) == 30
    assert 0 < sent[0] < sent[1]


def test_a_holder_that_dies_is_replaced() -> None:
    world = World(3, star(3))
    world.run(1)
    data = some_bytes(20 * CHUNK_BYTES)
    content = world.offer(data, 1, 2)
    fetch = world.fetch(0, content, [1, 2])

    world.kill(1)
    world.run_until(lambda: fetch in world.nodes[0].fetched, 60)

    assert world.content(0, fetch) == data


def test_a_holder_that_comes_back_goes_on() -> None:
    world = World(2, line(2))
    world.run(1)
    data = some_bytes(20 * CHUNK_BYTES)
    content = world.offer(data, 1)
    fetch = world.fetch(0, content, [1])
    world.cut(0, 1)
    world.run(8)

    world.link(0, 1)
    world.run_until(lambda: fetch in world.nodes[0].fetched, 60)

    assert world.content(0, fetch) == data


def test_who_does_not_have_it_is_asked_once() -> None:
    world = World(3, star(3))
    world.run(1)
    data = some_bytes(9 * CHUNK_BYTES)
    content = world.offer(data, 2)

    fetch = world.fetch(0, content, [1, 2])
    world.run(5)

    assert world.content(0, fetch) == data


def test_what_nobody_has_ends_in_words() -> None:
    world = World(2, line(2))
    world.run(1)

    fetch = world.fetch(0, Content(bytes(32), 1_000), [1])
    world.run(1)

    assert world.nodes[0].fetched == {fetch: "none of those who were said to have it has given all of it."}


def test_without_holders_it_ends_at_once() -> None:
    world = World(1)

    fetch = world.fetch(0, Content(bytes(32), 1_000), [])

    assert "none of those" in world.nodes[0].fetched[fetch]


def test_holders_that_are_away_are_waited_for_and_then_it_ends() -> None:
    world = World(2)

    fetch = world.fetch(0, Content(bytes(32), 1_000), [1])
    world.run(Pace().no_progress_s - 1)
    assert world.nodes[0].fetched == {}
    world.run(2)

    assert "was there for 30 s" in world.nodes[0].fetched[fetch]


def test_what_is_withdrawn_is_given_no_more() -> None:
    world = World(2, line(2))
    world.run(1)
    content = world.offer(some_bytes(CHUNK_BYTES), 1)
    world.nodes[1].node.serving.withdraw(content)

    fetch = world.fetch(0, content, [1])
    world.run(1)

    assert "none of those" in world.nodes[0].fetched[fetch]
    assert world.content(0, fetch) == b""


def test_content_that_is_not_wanted_any_more_is_not_stored() -> None:
    world = World(2, line(2))
    world.run(1)
    content = world.offer(some_bytes(5 * CHUNK_BYTES), 1)
    fetch = world.fetch(0, content, [1])

    world.nodes[0].node.fetching.cancel(fetch)
    world.run(1)

    assert world.nodes[0].stored == {}
    assert world.nodes[0].fetched == {}


def test_a_member_that_asks_for_everything_at_once_has_a_few_chunks_read() -> None:
    """As one that does not take them, too: the others are served as before."""
    world = World(3, full(3), limits=Limits(reads=4, requests=10))
    world.run(1)
    content = world.offer(some_bytes(100 * CHUNK_BYTES), 1)
    node = world.nodes[1].node
    for index in range(100):
        request = ChunkRequest(root=content.root, index=index).SerializeToString()
        node.serving.take(world.envelope(0, 1, request))

    reads = [effect for effect in node.take() if isinstance(effect, ReadChunk)]
    fetch = world.fetch(2, content, [1])
    world.run(10)

    assert len(reads) == 4
    assert len(world.content(2, fetch)) == 100 * CHUNK_BYTES


def test_all_members_together_have_a_limited_number_of_chunks_read_and_each_gets_some() -> None:
    world = World(4, full(4), limits=Limits(reads=4, all_reads=6))
    world.run(1)
    content = world.offer(some_bytes(20 * CHUNK_BYTES), 0)
    node = world.nodes[0].node
    for asking in (1, 2, 3):
        for index in range(20):
            request = ChunkRequest(root=content.root, index=index).SerializeToString()
            node.serving.take(world.envelope(asking, 0, request))

    reads = [effect for effect in node.take() if isinstance(effect, ReadChunk)]
    assert len(reads) == 6
    for read in reads:
        node.serving.gave_up(read)
    more = [effect for effect in node.take() if isinstance(effect, ReadChunk)]

    assert len(more) == 6
    assert {read.receiver for read in [*reads, *more]} == {world.id(asking) for asking in (1, 2, 3)}


@pytest.mark.parametrize(
    "content",
    [Content(b"short", 10), Content(bytes(32), -1), Content(bytes(32), 0), Content(bytes(32), 1 << 60)],
)
def test_what_is_no_content_is_refused_where_it_is_used(content: Content) -> None:
    world = World(1)

    with pytest.raises(ValueError, match="content"):
        world.fetch(0, content, [])


def test_content_of_no_bytes_has_the_root_of_no_leaves() -> None:
    world = World(1)

    fetch = world.fetch(0, Content(EMPTY_ROOT, 0), [])

    assert world.nodes[0].fetched == {fetch: ""}


@given(size=st.integers(1, 70), place=st.integers(0, 69))
def test_a_tree_gives_the_proofs_that_its_leaves_give(size: int, place: int) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    tree = LogTree()
    for leaf in leaves:
        tree.add(leaf)

    assert tree.inclusion_proof(place % size) == inclusion_proof(leaves, place % size)


def test_a_tree_has_no_proof_of_what_is_not_in_it() -> None:
    with pytest.raises(IndexError, match="no leaf 0"):
        LogTree().inclusion_proof(0)


class OddBytes(bytes):
    """Whatever chunk is asked for is one byte."""

    def __getitem__(self, place: object) -> bytes:  # type: ignore[override]
        return b"x"


def test_chunks_of_another_length_are_wrong_though_the_root_is_made_of_them() -> None:
    """Whoever has made up the root could have them stored where they do not belong otherwise."""
    world = World(2, line(2))
    world.run(1)
    tree = LogTree()
    for _ in range(2):
        tree.add(leaf_hash(b"x"))
    content = Content(tree.root(2), 2 * CHUNK_BYTES)
    world.nodes[1].offered[content.root] = OddBytes()
    world.nodes[1].node.serving.offer(Offer(content, tree))

    fetch = world.fetch(0, content, [1])
    world.run(1)

    assert world.nodes[0].stored == {}
    assert "none of those" in world.nodes[0].fetched[fetch]
    assert world.nodes[0].node.counts.dropped == {Reason.WRONG_CHUNK: 1, Reason.NOT_ASKED: 1}
