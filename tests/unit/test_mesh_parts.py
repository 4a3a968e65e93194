"""The small parts of the mesh's protocol, each by itself."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.dialling import AT_ONCE, LONGEST_WAIT_S, Dialling
from mesh.members import Member, Origin
from mesh.protocol import mesh_pb2
from mesh.protocol.envelope import Envelope, Kinds, open_envelope, seal
from mesh.protocol.framing import (
    LENGTH_BYTES,
    FrameInvalid,
    FrameTooLarge,
    encode_frame,
    length_in,
    parse_frame,
    with_length,
)
from mesh.protocol.holder import ATTEMPTS, LARGEST_WINDOW, Holder
from mesh.protocol.limits import MAX_FRAME_BYTES, Pace, TokenBucket
from mesh.protocol.mesh_pb2 import Frame, Ping, SignedEnvelope
from mesh.protocol.replay import Novelty, Replay, Seen, Window
from mesh.protocol.topology import LinkState, Topology
from shared.address import Address
from shared.security.key_id import KeyId
from shared.security.statement import Purpose, statement
from tests.support.mesh_world import mesh_key

A, B, C, D = (KeyId(bytes([number]) * 32) for number in range(4))
texts = st.text(max_size=20)


# Frames


numbers = st.integers(0, 2**64 - 1)
ids = st.one_of(st.just(b""), st.binary(min_size=32, max_size=32), st.binary(max_size=40))
envelopes = st.builds(
    mesh_pb2.Envelope,
    kind=st.integers(0, 8),
    sender=ids,
    epoch=numbers,
    sequence=numbers,
    receiver=ids,
    receiver_epoch=numbers,
    number=numbers,
    topic=texts,
    body=st.binary(max_size=100),
)
addresses = st.one_of(texts, st.just("[::1]:5060"), st.from_regex(r"[a-z.]{1,9}:[0-9]{1,9}", fullmatch=True))
link_states = st.builds(
    mesh_pb2.LinkState,
    links=st.lists(st.builds(mesh_pb2.Link, neighbour=ids, latency_us=numbers), max_size=3),
    listening=st.lists(addresses, max_size=9),
)


def refusal(parse: Callable[[], object]) -> str | None:
    """Why it is refused, in words; None: it is not."""
    try:
        parse()
    except FrameInvalid as error:
        return str(error)
    return None


@given(st.binary(max_size=2_000))
def test_any_bytes_are_a_frame_or_are_refused_in_words(data: bytes) -> None:
    said = refusal(lambda: parse_frame(data))

    assert said is None or said.endswith(".")


@given(st.one_of(st.binary(max_size=2_000), envelopes.map(lambda message: message.SerializeToString())))
def test_any_bytes_are_an_envelope_or_are_refused_in_words(data: bytes) -> None:
    said = refusal(lambda: open_envelope(SignedEnvelope(envelope=data)).envelope.require_valid())

    assert said is None or said.endswith(".")


@given(st.one_of(st.binary(max_size=2_000), link_states.map(lambda message: message.SerializeToString())))
def test_any_bytes_are_a_link_state_or_are_refused_in_words(data: bytes) -> None:
    said = refusal(lambda: LinkState.parse(data, 2))

    if said is None:
        state = LinkState.parse(data, 2)
        assert LinkState.parse(state.encode(), 2) == state
    else:
        assert said.endswith(".")


@given(st.integers(1, MAX_FRAME_BYTES))
def test_the_length_before_a_frame_is_that_of_the_frame(length: int) -> None:
    assert length_in(with_length(bytes(length))[:LENGTH_BYTES]) == length


@pytest.mark.parametrize("length", [MAX_FRAME_BYTES + 1, 2**32 - 1])
def test_a_length_beyond_the_limit_is_refused_before_anything_is_read(length: int) -> None:
    with pytest.raises(FrameTooLarge, match="524,288 are allowed"):
        length_in(length.to_bytes(4, "big"))


def test_a_frame_of_no_bytes_is_refused() -> None:
    with pytest.raises(FrameInvalid, match="no bytes"):
        length_in(bytes(4))


def test_a_frame_that_is_too_large_is_not_sent() -> None:
    with pytest.raises(FrameTooLarge):
        encode_frame(Frame(pairing=bytes(MAX_FRAME_BYTES)))


def test_a_frame_comes_back_as_it_was() -> None:
    frame = Frame(ping=Ping(stamp=7))

    assert parse_frame(encode_frame(frame)) == frame


@given(
    sequence=st.integers(1, 2**63 - 1),
    epoch=st.integers(1, 2**63 - 1),
    body=st.binary(max_size=300),
    topic=st.from_regex(r"[a-z][a-z0-9._/-]{0,63}", fullmatch=True),
)
def test_an_envelope_comes_back_as_it_was(sequence: int, epoch: int, body: bytes, topic: str) -> None:
    key = mesh_key(0)
    envelope = Envelope(Kinds.DIRECT, key.public.id, epoch, sequence, body, topic, A, 3, 4)

    frame = parse_frame(seal(envelope, key).frame(5))
    sealed = open_envelope(frame.envelope)

    assert sealed.envelope == envelope
    assert sealed.hops_left == 5
    sealed.verify(key.public)
    key.public.verify(sealed.signature, statement(Purpose.MESH_ENVELOPE, sealed.data))


# What has come before


@given(st.lists(st.integers(1, 60), max_size=80), st.integers(1, 20))
def test_a_window_takes_each_number_once_and_nothing_that_it_cannot_tell(
    taken_in_turn: list[int], size: int
) -> None:
    window, taken, highest = Window(size), set[int](), 0
    for number in taken_in_turn:
        expected = number not in taken and number > highest - size
        assert window.is_new(number) is expected
        assert window.take(number) is expected
        taken.add(number)
        highest = max(highest, number)
        assert window.highest == highest


@given(st.integers(1, 100), st.integers(0, 100))
def test_a_window_that_goes_on_takes_nothing_up_to_where_it_was(highest: int, number: int) -> None:
    assert Window(16, highest).is_new(number) is (number > highest)


def test_a_window_that_is_left_far_behind_forgets_no_number_that_it_has_taken() -> None:
    window = Window(8)
    for number in (5, 1_000):
        assert window.take(number)

    assert not window.is_new(5)
    assert not window.is_new(1_000)
    assert window.is_new(999)
    assert not window.is_new(992)


def test_a_new_epoch_begins_anew_and_ends_the_old_one() -> None:
    replay = Replay(16, {A: Seen(3, 10)})
    assert replay.judge(A, 3, 10) is Novelty.SEEN
    assert replay.judge(A, 3, 11) is Novelty.NEW

    replay.take(A, 4, 1)

    assert replay.judge(A, 3, 11) is Novelty.OLDER_EPOCH
    assert replay.judge(A, 4, 1) is Novelty.SEEN
    assert replay.judge(A, 4, 2) is Novelty.NEW


# Limits


def test_a_bucket_lets_a_burst_pass_and_then_its_rate() -> None:
    bucket = TokenBucket(10.0, 5.0, 0.0)

    assert [bucket.take(0.0) for _ in range(6)] == [True] * 5 + [False]
    assert [bucket.take(0.11), bucket.take(0.11)] == [True, False]
    assert sum(bucket.take(100.0) for _ in range(10)) == 5


def test_a_bucket_is_not_filled_by_a_clock_that_goes_back() -> None:
    bucket = TokenBucket(10.0, 1.0, 100.0)
    assert bucket.take(100.0)

    assert not bucket.take(50.0)


def test_with_many_members_link_states_are_fewer_and_are_waited_for_longer() -> None:
    pace = Pace()

    assert pace.with_members(50) == pace
    slower = pace.with_members(500)
    assert (slower.links_s, slower.stale_s, slower.forget_s) == (20, 50, 150)
    assert slower.dead_s == pace.dead_s


# Ways


def stated(topology: Topology, node: KeyId, *links: KeyId, latency: float | None = 0.01) -> None:
    topology.take(node, 1, 1, LinkState(dict.fromkeys(links, latency)), 0.0)


def test_a_way_has_the_fewest_hops_and_of_those_the_least_latency() -> None:
    topology = Topology(A)
    topology.set_mine({B: 0.5, C: 0.1})
    stated(topology, B, A, D)
    stated(topology, C, A, D)
    stated(topology, D, B, C)

    route = topology.route(D)

    assert route is not None
    assert (route.next_hop, route.hops) == (C, 2)
    assert route.latency_s == pytest.approx(0.11)
    other = topology.route(D, {C})
    assert other is not None
    assert other.next_hop == B
    assert topology.route(D, {B, C}) is None


def test_a_measured_way_comes_before_one_that_is_not() -> None:
    topology = Topology(A)
    topology.set_mine({B: None, C: 30.0})
    stated(topology, B, A, D)
    stated(topology, C, A, D)
    stated(topology, D, B, C)

    route = topology.route(D)

    assert route is not None
    assert route.next_hop == C
    unmeasured = topology.route(D, {C})
    assert unmeasured is not None
    assert unmeasured.latency_s is None


def test_a_link_counts_when_both_ends_state_it() -> None:
    topology = Topology(A)
    topology.set_mine({B: 0.1})
    stated(topology, B, A, C)
    assert topology.route(C) is None

    stated(topology, C, D)
    assert topology.route(C) is None

    topology.take(C, 1, 2, LinkState({B: 0.1}), 0.0)
    assert topology.route(C) is not None


def test_links_are_shown_once_each() -> None:
    topology = Topology(A)
    topology.set_mine({B: 0.1})
    stated(topology, B, A, C)
    stated(topology, C, B, D)

    assert {frozenset(pair) for pair in topology.links()} == {frozenset((A, B)), frozenset((B, C))}
    assert len(topology.links()) == 2


# Chunks of a holder


def test_a_window_grows_with_what_comes_and_shrinks_with_what_does_not() -> None:
    holder = Holder(Pace())
    now, asked = 0.0, 0
    for _ in range(40):
        while holder.has_room:
            holder.ask(asked, now)
            asked += 1
        now += 0.01
        holder.answered(min(holder.asked), now)
    assert len(holder.asked) <= LARGEST_WINDOW
    before = len(holder.asked)

    late = holder.overdue(now + 100)

    assert len(late) == before
    while holder.has_room:
        holder.ask(asked, now)
        asked += 1
    assert len(holder.asked) == LARGEST_WINDOW // 2


def test_a_holder_that_never_answers_is_given_up_after_some_time() -> None:
    holder, now = Holder(Pace()), 0.0
    for attempt in range(ATTEMPTS):
        assert not holder.is_silent
        holder.ask(attempt, now)
        assert holder.overdue(now + 3.9) == []
        now += 17
        assert holder.overdue(now) == [attempt]

    assert holder.is_silent


def test_chunks_that_were_asked_for_together_are_one_wait_and_late_ones_teach_patience() -> None:
    holder = Holder(Pace())
    for place in range(4):
        holder.ask(place, place * 0.1)

    late = [holder.overdue(4.0 + place * 0.1) for place in range(4)]

    assert late == [[0], [1], [2], [3]]
    assert holder.in_vain == 1
    for place in range(4):
        holder.answered(place, 9.0)
    holder.ask(4, 10.0)
    assert holder.overdue(10.0 + 9.0) == [], "it took 9 s before"
    assert holder.overdue(10.0 + 16.0) == [4]


# Whom to connect to


def member(*addresses: Address) -> Member:
    return Member(mesh_key(0).public, "somebody", Origin.PAIRED, addresses)


HERE, THERE = Address("127.0.0.1", 1), Address("127.0.0.1", 2)


def test_a_few_members_are_all_connected_to_a_few_at_a_time() -> None:
    members = {KeyId(bytes([number]) * 32): member(HERE) for number in range(6)}
    dialling, linked = Dialling(Random(1)), set[KeyId]()

    while chosen := dialling.choose(members, linked, (), 0.0):
        assert len(chosen) <= AT_ONCE
        for peer, _ in chosen:
            dialling.succeeded(peer)
            linked.add(peer)

    assert linked == members.keys()


def test_of_many_members_some_are_chosen_and_those_that_cannot_be_reached_besides() -> None:
    members = {KeyId(bytes([number]) * 32): member(HERE) for number in range(100)}
    dialling, linked = Dialling(Random(1), wanted=3), set[KeyId]()
    while chosen := dialling.choose(members, linked, (), 0.0):
        for peer, _ in chosen:
            dialling.succeeded(peer)
            linked.add(peer)
    assert len(linked) == 3

    lost = next(iter(members.keys() - linked))

    assert [peer for peer, _ in dialling.choose(members, linked, {lost}, 0.0)] == [lost]


def test_who_has_no_address_or_is_tried_already_is_not_tried() -> None:
    dialling = Dialling(Random(1))

    assert dialling.choose({A: member()}, (), (A,), 0.0) == []
    assert dialling.choose({A: member(HERE)}, (), (A,), 0.0) == [(A, HERE)]
    assert dialling.choose({A: member(HERE)}, (), (A,), 9.0) == []


def test_attempts_become_rarer_and_addresses_take_turns_the_newest_first() -> None:
    dialling, now, waits, tried = Dialling(Random(1)), 0.0, [], []
    for _ in range(12):
        begun = now
        while not (chosen := dialling.choose({A: member(HERE, THERE)}, (), (A,), now)):
            now += 0.05
        waits.append(now - begun)
        tried.append(chosen[0][1])
        dialling.failed(A, now)

    assert tried[:4] == [THERE, HERE, THERE, HERE]
    assert waits[1] < 1 < waits[-1] <= LONGEST_WAIT_S
    dialling.forgive(A)
    assert dialling.choose({A: member(HERE, THERE)}, (), (A,), now) == [(A, THERE)]
