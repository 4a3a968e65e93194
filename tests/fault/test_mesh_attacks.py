"""A member of a real node's that does not keep to the protocol: what it sends is refused, put down to it,
said once, and keeps nobody else from being served."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh.control import Json
from mesh.handshake import HandshakeFailed
from mesh.node import MAX_BODY_BYTES, PeerState
from mesh.protocol.envelope import Kind, Kinds, open_envelope
from mesh.protocol.limits import MAX_FRAME_BYTES, Limits
from mesh.protocol.mesh_pb2 import Frame, Ping, Pong, SignedEnvelope, SignedHello
from mesh.protocol.topology import LinkState
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair
from tests.support.attacked_nodes import (
    Attacked,
    attacked_nodes,
    dropped_of,
    require_dropped,
    require_serves,
)
from tests.support.hostile_member import HostileMember, Victim, signed_envelope
from tests.support.mesh_crew import told
from tests.support.waiting import wait_until

MANY = 20


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """They outlast all that is sent to them in this module."""
    with attacked_nodes(tmp_path_factory.mktemp("attacked")) as attacked:
        yield attacked


@pytest.fixture
def mallory(attacked: Attacked) -> Iterator[HostileMember]:
    """A member of Ana's, linked with her; another one in each test."""
    with attacked.enemy(f"mallory-{len(told(attacked.ana, 'peers')['peers'])}") as mallory:
        yield mallory.enter()


def forged(mallory: HostileMember, attacked: Attacked) -> list[bytes]:
    """Words of Ben's that he has not signed."""
    ben = Victim(attacked.ben)
    return [mallory.flood(sender=ben.id.digest, epoch=ben.epoch, sequence=10**6 + n) for n in range(MANY)]


def of_a_stranger(mallory: HostileMember, _attacked: Attacked) -> list[bytes]:
    """Passed on for somebody whom Ana does not know."""
    eve = KeyPair.make()
    own: dict[str, Any] = {
        "kind": Kinds.FLOOD,
        "sender": eve.public.id.digest,
        "epoch": 1,
        "topic": "text",
        "body": b"evil",
    }
    return [signed_envelope(eve, sequence=number, **own) for number in range(1, MANY + 1)]


def replayed(mallory: HostileMember, _attacked: Attacked) -> list[bytes]:
    """Once is as it should be."""
    return [mallory.direct(b"this once")] * (MANY + 1)


def too_large(mallory: HostileMember, _attacked: Attacked) -> list[bytes]:
    return [mallory.flood(bytes(MAX_BODY_BYTES + 1)) for _ in range(MANY)]


def with_too_many_links(mallory: HostileMember, _attacked: Attacked) -> list[bytes]:
    links = {KeyId(number.to_bytes(32, "big")): None for number in range(Limits().links + 1)}
    body = LinkState(links).encode()
    return [mallory.frame(Kinds.LINKS, body=body) for _ in range(MANY)]


def of_no_kind(mallory: HostileMember, _attacked: Attacked) -> list[bytes]:
    return [mallory.frame(Kinds.NONE, body=b"evil") for _ in range(MANY)]


def of_another_start(mallory: HostileMember, attacked: Attacked) -> list[bytes]:
    """For one that Ana had before, as if they were recorded then."""
    return [mallory.direct(receiver_epoch=mallory.victim.epoch - 1) for _ in range(MANY)]


def of_an_older_epoch(mallory: HostileMember, _attacked: Attacked) -> list[bytes]:
    """Of a start of its own before the one that Ana has seen."""
    return [mallory.direct(epoch=mallory.epoch - 1, sequence=10**6 + number) for number in range(MANY)]


def in_circles(mallory: HostileMember, attacked: Attacked) -> list[bytes]:
    """What Ana has passed on comes to her again, with all its hops."""
    return [mallory.direct(b"in a circle", to=Victim(attacked.ben))] * (MANY + 1)


def without_hops(mallory: HostileMember, attacked: Attacked) -> list[bytes]:
    return [mallory.direct(to=Victim(attacked.ben), hops_left=0) for _ in range(MANY)]


def to_nobody(mallory: HostileMember, attacked: Attacked) -> list[bytes]:
    """To be passed on to a member to whom there is no way."""
    to: dict[str, Any] = {"receiver": attacked.away.digest, "receiver_epoch": 1}
    return [mallory.direct(**to) for _ in range(MANY)]


def never_asked_for(mallory: HostileMember, _attacked: Attacked) -> list[bytes]:
    """Chunks, confirmations and pongs."""
    to: dict[str, Any] = {"receiver": mallory.victim.id.digest, "receiver_epoch": mallory.victim.epoch}
    chunks = [mallory.frame(Kinds.CHUNK, body=b"", **to) for _ in range(MANY)]
    confirmations = [mallory.frame(Kinds.CONFIRMATION, number=10**6, **to) for _ in range(MANY)]
    return [*chunks, *confirmations, Frame(pong=Pong(stamp=1)).SerializeToString()]


def flooding(mallory: HostileMember, _attacked: Attacked) -> list[bytes]:
    """Ten times as many as it may send at once."""
    limits = Limits()
    return [mallory.flood(topic="nothing") for _ in range(int(10 * limits.floods_per_s * limits.burst_s))]


def more_frames_than_may_come(_mallory: HostileMember, _attacked: Attacked) -> list[bytes]:
    """They are read no faster than twice as fast as they may come, so it takes its time."""
    limits = Limits()
    return [Frame(ping=Ping(stamp=1)).SerializeToString()] * int(2.5 * limits.frames_per_s * limits.burst_s)


ATTACKS: dict[str, tuple[Callable[[HostileMember, Attacked], list[bytes]], str, int]] = {
    "forged": (forged, "bad-signature", MANY),
    "of a stranger": (of_a_stranger, "unknown-sender", MANY),
    "replayed": (replayed, "replay", MANY),
    "too large": (too_large, "too-large", MANY),
    "with too many links": (with_too_many_links, "malformed", MANY),
    "of no kind": (of_no_kind, "malformed", MANY),
    "for another start": (of_another_start, "older-epoch", MANY),
    "of an older epoch": (of_an_older_epoch, "older-epoch", MANY),
    "in circles": (in_circles, "replay", MANY),
    "without hops": (without_hops, "hops-used-up", MANY),
    "to nobody": (to_nobody, "no-route", MANY),
    "never asked for": (never_asked_for, "not-asked", 2 * MANY + 1),
    "floods": (flooding, "rate", MANY),
    "too many frames": (more_frames_than_may_come, "rate", MANY),
}


@pytest.mark.parametrize("what", ATTACKS)
def test_what_breaks_the_rules_is_dropped_counted_and_said_once(
    what: str, mallory: HostileMember, attacked: Attacked
) -> None:
    attack, reason, least = ATTACKS[what]

    mallory.put(*attack(mallory, attacked))

    require_dropped(attacked.ana, mallory.name, reason, least)
    assert mallory.is_linked, "the link of a member that may have been misled itself stays"
    require_serves(attacked.ana, attacked.ben)
    for node in (attacked.ana, attacked.ben):
        assert f"message from {mallory.name}: evil" not in node.output
        assert "message from ben: evil" not in node.output
        assert node.count("this once") <= 1
        assert node.count("in a circle") <= 1
    assert dropped_of(attacked.ana, "ben").keys() <= {"no-route"}, "his words to Cleo when she left, at most"


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"\xff" * 100, "malformed"),
        (b"\x00", "malformed"),
        (b"", "malformed"),
        (Frame(hello=SignedHello(hello=b"once more")).SerializeToString(), "malformed"),
        (bytes(MAX_FRAME_BYTES + 1), "too-large"),
    ],
    ids=["no protobuf", "of no content", "empty", "of the handshake", "too large"],
)
def test_what_is_no_frame_ends_the_link_each_time_and_is_counted(
    frame: bytes, reason: str, mallory: HostileMember, attacked: Attacked
) -> None:
    for _ in range(3):
        mallory.put(frame)
        wait_until(lambda: not mallory.is_linked, "Ana has ended the link")
        mallory.link()

    require_dropped(attacked.ana, mallory.name, reason, 3)
    require_serves(attacked.ana, attacked.ben)


def test_what_ben_has_said_and_another_plays_again_has_no_effect(
    mallory: HostileMember, attacked: Attacked
) -> None:
    """Nor does Nora, another neighbour of Ana's, get it again."""
    ana, ben = attacked.ana, Victim(attacked.ben).id

    def words_of_ben() -> list[SignedEnvelope]:
        return [sealed for sealed in mallory.heard if open_envelope(sealed).envelope.sender == ben]

    recorded = wait_until(words_of_ben, "Ana has passed Ben's word on")
    before = told(ana, "status")["duplicates"]
    with attacked.enemy("nora") as nora:
        nora.enter()

        mallory.put(*(Frame(envelope=sealed).SerializeToString() for sealed in recorded * 100))

        wait_until(
            lambda: told(ana, "status")["duplicates"] >= before + 100 * len(recorded),
            "all of them are counted",
        )
        require_serves(ana, attacked.ben)
        heard = [sealed.envelope for sealed in nora.heard]
    for each in recorded:
        assert heard.count(each.envelope) <= 2, "as she came, and as it was new"


def test_two_that_send_an_envelope_round_and_round_burden_nobody(
    mallory: HostileMember, attacked: Attacked
) -> None:
    """Mallory, Ana, Mona, and to Ana again, as if Mona knew no better way."""
    ana = attacked.ana
    with attacked.enemy("mona") as mona:
        mona.enter()
        to: dict[str, Any] = {"receiver": mona.id.digest, "receiver_epoch": mona.epoch}
        mallory.put(mallory.direct(**to))
        wait_until(
            lambda: any(mallory.id.digest in sealed.envelope for sealed in mona.heard), "Ana has passed it on"
        )
        circling = [sealed for sealed in mona.heard if mallory.id.digest in sealed.envelope]
        before = len(circling)
        mona.put(*(Frame(envelope=sealed).SerializeToString() for sealed in circling * MANY))

        require_dropped(ana, "mona", "replay", MANY)
        again = [sealed for sealed in mona.heard if mallory.id.digest in sealed.envelope]
        assert sum(sealed.envelope == circling[-1].envelope for sealed in again) <= before
    require_serves(ana, attacked.ben)


def test_a_lie_about_links_is_shown_and_changes_no_way(mallory: HostileMember, attacked: Attacked) -> None:
    """That it is linked with Ben, who knows nothing of it, and with Cleo, who is away. It says so again and
    again, since a node's word is forgotten that is not repeated."""
    ana, ben = attacked.ana, Victim(attacked.ben).id
    links = {ben: 0.000_001, attacked.away: 0.000_001, mallory.victim.id: 0.000_001}

    def lie() -> None:
        mallory.put(mallory.frame(Kinds.LINKS, body=LinkState(links).encode()))

    def status_with_the_lie() -> Json | None:
        lie()
        status = told(ana, "status")
        ends = [(each["one"], each["other"]) for each in status["one_sided"]]
        return status if (str(mallory.id), str(ben)) in ends else None

    def is_shown_to_people() -> bool:
        lie()
        return f"{mallory.name} with ben" in ana.ask("status")

    status = wait_until(status_with_the_lie, "the lie is known as one")
    peers = {peer["key"]: peer for peer in status["peers"]}
    assert peers[str(ben)]["hops"] == 1
    assert peers[str(attacked.away)]["state"] == PeerState.OFFLINE
    assert {str(mallory.id), str(ben)} not in [{link["one"], link["other"]} for link in status["links"]]
    wait_until(is_shown_to_people, "the lie is shown")
    require_serves(ana, attacked.ben)


def test_what_is_dropped_is_shown_to_the_user(mallory: HostileMember, attacked: Attacked) -> None:
    mallory.put(*forged(mallory, attacked))
    require_dropped(attacked.ana, mallory.name, "bad-signature", MANY)

    assert f"of {mallory.name}: bad-signature {MANY}" in attacked.ana.ask("status")


def test_a_hello_that_was_recorded_opens_nothing(mallory: HostileMember, attacked: Attacked) -> None:
    before = told(attacked.ana, "status")["refused"].get("bad-hello", 0)
    recorded = mallory.hello()

    with pytest.raises(HandshakeFailed, match="not signed as it must be"):
        mallory.hello(hello=recorded)
    with pytest.raises(HandshakeFailed, match="not signed as it must be"):
        mallory.hello(nonce=bytes(32))

    assert told(attacked.ana, "status")["refused"]["bad-hello"] == before + 2
    attacked.ana.wait_for_output("refused a connection: bad-hello, ")
    require_serves(attacked.ana, attacked.ben)


def test_an_older_start_is_not_let_in(mallory: HostileMember, attacked: Attacked) -> None:
    mallory.epoch -= 1

    with pytest.raises(HandshakeFailed, match="a later start of yours"):
        mallory.link()

    assert told(attacked.ana, "status")["refused"]["old-epoch"] > 0
    attacked.ana.wait_for_output("refused a connection: old-epoch, ")
    require_serves(attacked.ana, attacked.ben)


def test_whatever_bytes_a_member_sends_its_node_goes_on(mallory: HostileMember, attacked: Attacked) -> None:
    """Good frames in which bytes were changed, cut, doubled or added, and frames of any bytes."""
    good = st.sampled_from([Kinds.FLOOD, Kinds.LINKS, Kinds.DIRECT, Kinds.CHUNK_REQUEST, Kinds.CHUNK])
    changes = st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4), st.integers(0, 4)), max_size=4)

    def changed(kind: Kind, how: list[tuple[float, bytes, int]]) -> bytes:
        to: dict[str, Any] = {
            "receiver": mallory.victim.id.digest,
            "receiver_epoch": mallory.victim.epoch,
            "number": 7,
        }
        frame = mallory.frame(kind, topic="peers", body=b"evil", **(to if kind == Kinds.DIRECT else {}))
        for place, put, cut in how:
            at = int(place * len(frame))
            frame = frame[:at] + put + frame[at + cut :]
        return frame

    @settings(
        max_examples=150,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(st.builds(changed, good, changes) | st.binary(max_size=300), min_size=1, max_size=8))
    def send(frames: list[bytes]) -> None:
        if not mallory.is_linked:
            mallory.link()
        mallory.put(*frames)

    send()

    wait_until(lambda: dropped_of(attacked.ana, mallory.name).get("malformed", 0) > MANY, "they are counted")
    require_serves(attacked.ana, attacked.ben)
    assert f"message from {mallory.name}" not in attacked.ana.output
