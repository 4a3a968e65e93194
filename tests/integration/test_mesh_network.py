"""The mesh over real sockets on loopback, several nodes in one process."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from mesh.frame_stream import ConnectionEnded, FrameStream, connect
from mesh.handshake import (
    Guest,
    HandshakeFailed,
    HandshakePurpose,
    Introduction,
    introduce,
    refusal_of,
    say_hello,
)
from mesh.links import MAX_ARRIVALS_OF_A_HOST
from mesh.node import ContentUnavailable, PeerState, Received, Unreachable
from mesh.protocol import mesh_pb2
from mesh.protocol.framing import with_length
from mesh.protocol.mesh_pb2 import Frame, Refusal
from mesh.tls import WrongNode, connecting_context
from shared.address import Address
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair
from tests.support.mesh_network import Bytes, running_nodes, until
from tests.support.mesh_world import full, line, mesh_key, ring

STRANGER = 40
ME = Introduction("somebody", 1)


def test_five_nodes_lose_one_and_find_it_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path, 5, full(5)) as nodes:
            await nodes.all_there()
            got: dict[int, list[bytes]] = {number: [] for number in range(5)}
            for number in range(5):
                nodes[number].on("news", _into(got[number]))

            nodes[0].flood("news", b"hello")
            await until(lambda: all(got[number] for number in range(1, 5)), "all have the news")
            await nodes[1].send(nodes.id(3), "news", b"for you", timeout_s=60)
            assert got[3] == [b"hello", b"for you"]

            await nodes.stop(3)
            await until(lambda: nodes.states(0)[3] is PeerState.OFFLINE, "0 sees that 3 is gone")
            with pytest.raises(Unreachable, match="not confirmed in time"):
                await nodes[0].send(nodes.id(3), "news", b"nobody there", timeout_s=0.5)

            await nodes.start(3)
            nodes[3].on("news", _into(got[3]))
            await nodes.all_there()
            assert nodes.states(0)[3] is PeerState.REJOINED
            await nodes[3].send(nodes.id(0), "news", b"back", timeout_s=60)
            nodes[0].flood("news", b"welcome back")
            await until(lambda: got[3][-1] == b"welcome back", "3 hears the others again")
            assert got == {
                0: [b"back"],
                1: [b"hello", b"welcome back"],
                2: [b"hello", b"welcome back"],
                3: [b"hello", b"for you", b"welcome back"],
                4: [b"hello", b"welcome back"],
            }

    asyncio.run(scenario())


def _fail(received: Received) -> None:
    raise ZeroDivisionError("what is built on the mesh")


def _into(got: list[bytes]) -> Callable[[Received], None]:
    return lambda received: got.append(received.body)


def test_content_of_ten_megabytes_goes_along_a_line_of_four(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path, 4, line(4)) as nodes:
            await nodes.all_there()
            assert [view.hops for view in nodes[3].peers()] == [3, 2, 1]
            data = random.Random(1).randbytes(10_000_000)
            content = await nodes[0].offer(Bytes(data), len(data))
            chunks: dict[int, bytes] = {}

            await nodes[3].fetch(content, [nodes.id(0)], chunks.__setitem__, have={0, 5})

            assert chunks.keys() == set(range(content.chunks)) - {0, 5}
            assert all(chunk == data[place << 18 :][: 1 << 18] for place, chunk in chunks.items())

    asyncio.run(scenario())


def test_content_comes_from_two_at_once_and_in_spite_of_one_that_has_lost_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path, 3, full(3)) as nodes:
            await nodes.all_there()
            data = random.Random(2).randbytes(3_000_000)
            damaged = Bytes(data)
            content = await nodes[0].offer(damaged, len(data))
            await nodes[1].offer(Bytes(data), len(data))
            damaged.data = data[:1_000]
            chunks: dict[int, bytes] = {}

            await nodes[2].fetch(content, [nodes.id(0), nodes.id(1)], chunks.__setitem__)

            assert b"".join(chunk for _, chunk in sorted(chunks.items())) == data

    asyncio.run(scenario())


def test_a_fetch_ends_with_what_its_store_raises_and_with_the_end_of_its_node(tmp_path: Path) -> None:
    def full_disk(place: int, chunk: bytes) -> None:
        raise OSError("no space")

    async def scenario() -> None:
        async with running_nodes(tmp_path, 2, line(2)) as nodes:
            await nodes.all_there()
            content = await nodes[0].offer(Bytes(bytes(2_000_000)), 2_000_000)
            with pytest.raises(OSError, match="no space"):
                await nodes[1].fetch(content, [nodes.id(0)], full_disk)

            await nodes.stop(0)
            waiting = asyncio.create_task(nodes[1].fetch(content, [nodes.id(0)], full_disk))
            sending = asyncio.create_task(nodes[1].send(nodes.id(0), "news", b"", timeout_s=60))
            await until(lambda: nodes.states(1)[0] is PeerState.OFFLINE, "0 is gone")
            await nodes.stop(1)

            with pytest.raises(ContentUnavailable, match="stopped"):
                await waiting
            with pytest.raises(Unreachable, match="stopped"):
                await sending

    asyncio.run(scenario())


def test_twenty_nodes_in_a_ring_with_chords(tmp_path: Path) -> None:
    async def scenario() -> None:
        links = [*ring(20), *((number, number + 10) for number in range(0, 10, 2))]
        async with running_nodes(tmp_path, 20, links) as nodes:
            await nodes.all_there()
            got: list[bytes] = []
            for number in range(1, 20):
                nodes[number].on("news", _into(got))

            nodes[0].flood("news", b"hello")
            await until(lambda: len(got) == 19, "all have the news")
            await asyncio.gather(
                *(
                    nodes[number].send(nodes.id((number + 7) % 20), "other", b"x", timeout_s=60)
                    for number in range(20)
                )
            )

            assert got == [b"hello"] * 19
            assert all(
                count == 0
                for number in range(20)
                for reason, count in nodes[number].status().dropped.items()
                if reason in ("bad-signature", "malformed", "unknown-sender", "older-epoch")
            )

    asyncio.run(scenario())


def test_what_a_node_shows_goes_into_json(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path, 3, line(3)) as nodes:
            await nodes.all_there()

            shown = json.loads(json.dumps(nodes[0].status().to_json()))

            assert shown["key"] == str(nodes.id(0))
            assert shown["listening"] == [str(nodes[0].address)]
            assert [(peer["name"], peer["state"], peer["hops"]) for peer in shown["peers"]] == [
                ("node-1", "online", 1),
                ("node-2", "online", 2),
            ]
            assert {frozenset((link["one"], link["other"])) for link in shown["links"]} == {
                frozenset((str(nodes.id(0)), str(nodes.id(1)))),
                frozenset((str(nodes.id(1)), str(nodes.id(2)))),
            }
            assert shown["sent_bytes"] > 0
            assert KeyId.parse(shown["peers"][0]["key"]) == nodes.id(1)

    asyncio.run(scenario())


def test_two_nodes_that_connect_to_each_other_at_once_keep_one_connection(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path, 2, []) as nodes:
            for number, other in ((0, 1), (1, 0)):
                nodes.members[number].move(nodes.id(other), nodes.addresses[other])
            await nodes.all_there()

            await nodes[0].send(nodes.id(1), "news", b"", timeout_s=60)
            await nodes[1].send(nodes.id(0), "news", b"", timeout_s=60)

            assert all(len(nodes[number].status().links) == 1 for number in (0, 1))

    asyncio.run(scenario())


def test_a_handler_that_fails_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path, 2, line(2)) as nodes:
            await nodes.all_there()
            got: list[bytes] = []
            remove = nodes[1].on("bad", _fail)
            nodes[1].on("good", _into(got))
            with pytest.raises(ValueError, match="handler already"):
                nodes[1].on("good", _into(got))

            await nodes[0].send(nodes.id(1), "bad", b"", timeout_s=60)
            await nodes[0].send(nodes.id(1), "good", b"fine", timeout_s=60)
            remove()
            await nodes[0].send(nodes.id(1), "bad", b"", timeout_s=60)

            assert got == [b"fine"]
            assert caplog.text.count("ZeroDivisionError: ") == 1

    asyncio.run(scenario())


def test_who_is_unpaired_is_cut_off_at_once_and_let_in_no_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path, 2, line(2)) as nodes:
            await nodes.all_there()

            nodes.members[0].remove(nodes.id(1))

            await until(lambda: nodes.states(1)[0] is PeerState.OFFLINE, "1 has lost its link")
            await until(lambda: nodes[0].status().refused.get("stranger"), "1 has come again in vain")
            assert nodes[0].peers() == []
            with pytest.raises(Unreachable, match="no member"):
                await nodes[0].send(nodes.id(1), "news", b"")

    asyncio.run(scenario())


def test_strangers_liars_and_those_who_say_nothing_right_are_turned_away(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path, 2, line(2)) as nodes:
            await nodes.all_there()
            address, acceptor = nodes.addresses[0], nodes.id(0)

            with pytest.raises(WrongNode, match="another node has this address"):
                await connect(address, nodes.id(1))
            assert await _refused(address, acceptor, mesh_key(STRANGER), ME) == Refusal.STRANGER
            assert await _refused(address, acceptor, mesh_key(1), ME) == Refusal.OLD_EPOCH
            assert await _refused_to_pair(address, acceptor) == Refusal.NO_PAIRING
            await _say(address, acceptor, Frame(ping=mesh_pb2.Ping(stamp=1)).SerializeToString())
            await _say(address, acceptor, b"\xff" * 100)

            await until(
                lambda: (
                    nodes[0].status().refused
                    == {"stranger": 1, "old-epoch": 1, "no-pairing": 1, "bad-hello": 1, "no-hello": 2}
                ),
                "all of them are counted",
            )
            await nodes[1].send(acceptor, "news", b"", timeout_s=60)

    asyncio.run(scenario())


async def _refused(address: Address, acceptor: KeyId, key: KeyPair, me: Introduction) -> Refusal.Code:
    stream = await connect(address, acceptor)
    try:
        with pytest.raises(HandshakeFailed) as caught:
            await introduce(stream, key, me, acceptor)
    finally:
        await stream.close()
    return caught.value.code


async def _refused_to_pair(address: Address, acceptor: KeyId) -> Refusal.Code:
    stream = await connect(address, acceptor)
    try:
        await say_hello(stream, mesh_key(STRANGER), ME, acceptor, HandshakePurpose.PAIR, "token")
        return refusal_of(await stream.read_message()).code
    finally:
        await stream.close()


async def _say(address: Address, acceptor: KeyId, frame: bytes) -> None:
    """In place of a hello; until the node has ended the connection."""
    stream = await connect(address, acceptor)
    try:
        await stream.read()
        await stream.write(frame)
        with suppress(ConnectionEnded):
            while True:
                await stream.read()
    finally:
        stream.abort()


def test_a_node_speaks_no_older_tls_and_nothing_without_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path, 1, []) as nodes:
            address = nodes.addresses[0]
            context = connecting_context()
            context.minimum_version = context.minimum_version.TLSv1_2
            context.maximum_version = context.maximum_version.TLSv1_2
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await asyncio.open_connection(*address, ssl=context)

            reader, writer = await asyncio.open_connection(*address)
            writer.write(with_length(b"hello"))
            assert b"fedloom" not in await reader.read()
            writer.transport.abort()

    asyncio.run(scenario())


def test_pairing_gets_the_frames_of_who_comes_for_that(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path, 1, []) as nodes:
            guests: list[Guest] = []

            async def pair(guest: Guest, stream: FrameStream) -> None:
                guests.append(guest)
                asked = await stream.read_message()
                await stream.write_message(Frame(pairing=asked.pairing[::-1]))

            nodes[0].on_pairing(pair)
            stream = await connect(nodes.addresses[0], nodes.id(0))
            await say_hello(stream, mesh_key(STRANGER), ME, nodes.id(0), HandshakePurpose.PAIR, "token")
            await stream.write_message(Frame(pairing=b"abc"))

            assert (await stream.read_message()).pairing == b"cba"
            await stream.close()
            assert [(guest.key, guest.token) for guest in guests] == [(mesh_key(STRANGER).public, "token")]
            assert nodes[0].peers() == []

    asyncio.run(scenario())


def test_a_slow_neighbour_loses_its_own_traffic_only(tmp_path: Path) -> None:
    """1 reads nothing: what is for it piles up to the limit and is dropped; 2 gets everything."""

    async def scenario() -> None:
        async with running_nodes(tmp_path, 3, [(0, 2)]) as nodes:
            address, acceptor = nodes.addresses[0], nodes.id(0)
            stream = await connect(address, acceptor)
            try:
                await introduce(stream, mesh_key(1), Introduction("slow", 2**40), acceptor)
                await until(lambda: PeerState.OFFLINE not in nodes.states(0).values(), "both are linked")
                got: list[bytes] = []
                nodes[2].on("news", _into(got))
                sent: list[bytes] = []
                while not nodes[0].status().dropped.get("queue-full"):
                    sent.append(len(sent).to_bytes(64 << 10, "big"))
                    nodes[0].flood("news", sent[-1])
                    await asyncio.sleep(1 / 40)  # below what a member may flood
                    await until(lambda: len(got) == len(sent), "2 has all that was sent")
                assert got == sent
            finally:
                stream.abort()

    asyncio.run(scenario())


def test_a_port_that_is_taken_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path, 1, []) as nodes:
            nodes.size = 2
            nodes.addresses[1] = nodes.addresses[0]
            with pytest.raises(OSError, match="in use"):
                await nodes.start(1)
            del nodes.addresses[1]
            await nodes.start(1)  # its folder is free

    asyncio.run(scenario())


def test_a_node_that_says_nothing_after_connecting_keeps_nobody_out(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path, 2, line(2)) as nodes:
            await nodes.all_there()
            # 127.0.0.2 is another host than the one that the nodes come from.
            silent = [
                socket.create_connection(nodes.addresses[0], source_address=("127.0.0.2", 0))
                for _ in range(80)
            ]
            try:
                await until(lambda: nodes[0].status().refused.get("too-many", 0) > 0, "some are turned away")
                await nodes.stop(1)
                await nodes.start(1)
                await nodes.all_there()
            finally:
                for each in silent:
                    each.close()

    asyncio.run(scenario())


def test_who_has_said_nothing_for_longest_gives_way_to_who_comes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path, 1, []) as nodes:
            loop = asyncio.get_running_loop()
            silent = [socket.create_connection(nodes.addresses[0]) for _ in range(MAX_ARRIVALS_OF_A_HOST + 1)]
            for each in silent:
                each.setblocking(False)
            try:
                assert await loop.sock_recv(silent[0], 1) == b"", "it was ended"
                with pytest.raises(BlockingIOError):
                    silent[-1].recv(1)  # it was not
                assert nodes[0].status().refused == {"too-many": 1}
            finally:
                for each in silent:
                    each.close()

    asyncio.run(scenario())
