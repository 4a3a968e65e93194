"""Nodes that lie about a folder, or have no part in it: what they send is refused, and harms nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from mesh.files.entry import Entry
from mesh.files.manifest import Manifest, signed
from mesh.files.messages import Kind, Message, topic_of
from mesh.files.reading import BytesSource
from mesh.files.states import FileCondition
from mesh.files.version import Version
from mesh.node import Content
from mesh.syncing.hearing import BAD, OLDER, TOO_LARGE
from mesh.syncing.talk import MALFORMED, MAX_WANTS, STRANGER, TOO_MANY
from shared.security.key_id import KeyId
from tests.support.file_nodes import node_key
from tests.support.hostile_member import content_of
from tests.support.mesh_in_memory import MemoryMesh, key_of
from tests.support.sync_nodes import FOLDER, QUICK, SyncNode, sharing, until

WRITER = "EVEEVEE-0123456789abcdef"
TOPIC = topic_of(FOLDER)
NAMES = "Ada", "Ben", "Eve"


async def has_started(*nodes: SyncNode) -> None:
    await until(
        lambda: all((node.root / ".fedloom/folder").exists() and node.mesh.hears(TOPIC) for node in nodes),
        "they have started, and listen",
    )


def refused(node: SyncNode) -> dict[str, int]:
    """By reason."""
    return {each.why: each.count for each in node.sync.view().refused}


def claim(name: str, content: Content | None) -> Manifest:
    """That Eve has a file."""
    return Manifest(FOLDER, 1, {name: Entry(name, Version.of({WRITER: 1}), WRITER, 1, content)})


async def tell(eve: MemoryMesh, to: SyncNode, data: bytes, sequence: int = 1) -> None:
    """Announce these bytes as a manifest."""
    content = await eve.offer(BytesSource(data), len(data))
    await eve.send(to.mesh.me, TOPIC, Message(Kind.MANIFEST, content, sequence).to_bytes())


def test_a_manifest_that_is_none_is_refused_and_counted(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, *NAMES) as (_, (ada, ben, eve)):
            await eve.stop()
            await has_started(ada, ben)
            await tell(eve.mesh, ada, b"no manifest")
            await until(lambda: refused(ada).get(BAD) == 1, "bytes are refused")
            others = signed(claim("a", content_of(b"x")), node_key(1))
            await tell(eve.mesh, ada, others)
            await until(lambda: refused(ada).get(BAD) == 2, "Ben's manifest is refused from Eve")
            outside = signed(claim("../outside", content_of(b"x")), node_key(2))
            await tell(eve.mesh, ada, outside)
            await until(lambda: refused(ada).get(BAD) == 3, "a way out of the folder is refused")
            ada.write("good", "x")
            await until(lambda: ben.files() == {"good": b"x"}, "the others go on")

    asyncio.run(scenario())
    assert not (tmp_path / "outside").exists()


def test_a_manifest_that_would_fill_memory_is_not_fetched(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, *NAMES) as (_, (ada, _ben, eve)):
            await eve.stop()
            await has_started(ada)
            huge = Message(Kind.MANIFEST, Content(bytes(32), 1 << 40), 1)
            await eve.mesh.send(ada.mesh.me, TOPIC, huge.to_bytes())
            await until(lambda: refused(ada).get(TOO_LARGE) == 1, "it is refused")

    asyncio.run(scenario())


def test_an_older_manifest_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, *NAMES) as (_, (ada, _ben, eve)):
            await eve.stop()
            await has_started(ada)
            empty = Manifest(FOLDER, 1 << 50, {})
            await tell(eve.mesh, ada, signed(empty, node_key(2)), 1 << 50)
            await until(lambda: (tmp_path / "home/Ada/papers.sqlite").exists(), "Ada keeps it")
            old = Manifest(FOLDER, (1 << 50) - 1, {})
            lie = 1 << 51  # announced as newer than it is
            while OLDER not in refused(ada):
                await tell(eve.mesh, ada, signed(old, node_key(2)), lie)
                await asyncio.sleep(0.05)

    asyncio.run(scenario())


def test_announcements_of_an_honest_node_in_another_order_are_no_attack(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, *NAMES) as (network, (ada, ben, eve)):
            await has_started(ada, ben, eve)
            network.faults.max_delay_s = 0.3
            for number in range(12):
                ben.write(f"file-{number}", str(number))
                await asyncio.sleep(0.06)
            await until(lambda: len(ada.files()) == len(eve.files()) == 12, "all have come")
            assert refused(ada) == refused(eve) == {}

            old = Message(Kind.MANIFEST, content_of(b"x"), 1)
            await eve.mesh.send(ada.mesh.me, TOPIC, old.to_bytes())
            await asyncio.sleep(0.5)
            assert refused(ada) == {}

    asyncio.run(scenario())


def test_a_member_that_is_not_in_the_group_is_not_heard_and_hears_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, *NAMES) as (_, (ada, ben, eve)):
            for node in (ada, ben, eve):
                await node.stop()
            heard: list[bytes] = []
            end = eve.mesh.on(TOPIC, lambda received: heard.append(received.body))
            group = frozenset({key_of("Ada"), key_of("Ben")})
            ada.start(members=group)
            ben.start(members=group)
            ada.write("secret", "for Ben")
            await until(lambda: ben.files() == {"secret": b"for Ben"}, "Ben has it")
            assert heard == []

            want = Message(Kind.WANT, content_of(b"for Ben")).to_bytes()
            await eve.mesh.send(ada.mesh.me, TOPIC, want)
            await tell(eve.mesh, ada, signed(claim("bad", content_of(b"x")), node_key(2)))
            # and perhaps what Eve had on its way when her node was stopped
            await until(lambda: refused(ada).get(STRANGER, 0) >= 2, "Ada counts both")
            assert heard == []
            assert ada.files() == {"secret": b"for Ben"}
            end()
            eve.start()

    asyncio.run(scenario())


def test_who_is_blocked_is_heard_no_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, "Ada", "Ben") as (_, (ada, ben)):
            ben.write("a", "x")
            await until(lambda: ada.files() == {"a": b"x"}, "Ada has it")
            ada.members.block("Ben")
            ben.write("a", "changed")
            await until(lambda: refused(ada).get(STRANGER, 0) > 0, "Ada refuses Ben")
            assert ada.files() == {"a": b"x"}

    asyncio.run(scenario())


def test_what_is_no_message_is_counted(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, *NAMES) as (_, (ada, _ben, eve)):
            await has_started(ada)
            good = Message(Kind.WANT, Content(bytes(32), 1)).to_bytes()
            for body in (
                b"",
                b"[]",
                b"\xff",
                b"x" * 600,
                good.replace(b"want", b"wont"),
                good[:-1],
                good + b" ",
            ):
                await eve.mesh.send(ada.mesh.me, TOPIC, body)
            await until(lambda: refused(ada).get(MALFORMED) == 7, "all are counted")

    asyncio.run(scenario())


def test_more_wishes_than_anybody_has_are_not_answered(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, *NAMES) as (network, (ada, _ben, eve)):
            await has_started(ada)
            await eve.stop()
            network.faults.max_delay_s = 0.2  # answers take some time on their way
            wants = [
                Message(Kind.WANT, Content(bytes(32), size)).to_bytes() for size in range(MAX_WANTS + 50)
            ]
            await asyncio.gather(*(eve.mesh.send(ada.mesh.me, TOPIC, want) for want in wants))
            await until(lambda: refused(ada).get(TOO_MANY, 0) > 0, "some are refused")

    asyncio.run(scenario())


class Liar(MemoryMesh):
    """A mesh whose fetch stores wrong chunks: what nothing but the check of the whole file would notice."""

    wrong = 0

    async def fetch(
        self,
        content: Content,
        holders: Sequence[KeyId],
        store: Callable[[int, bytes], None],
        have: Collection[int] = (),
    ) -> None:
        """As Mesh has it, but for a bit."""

        def store_wrong(place: int, chunk: bytes) -> None:
            if self.wrong and chunk.startswith(b"file"):
                self.wrong -= 1
                chunk = b"F" + chunk[1:]
            store(place, chunk)

        await super().fetch(content, holders, store_wrong, have)


def test_a_wrong_chunk_never_becomes_visible(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, "Ada", "Ben") as (network, (ada, ben)):
            await ben.stop()
            ben.mesh = Liar(network, "Ben")
            network._nodes[ben.mesh.me] = ben.mesh
            ben.mesh.wrong = 2
            seen: set[bytes] = set()
            ben.start()
            ada.write("a", "file")

            def is_there() -> bool:
                seen.update(ben.files().values())
                return bool(seen)

            await until(is_there, "the right one comes in the end")
            assert seen == {b"file"}
            assert ben.mesh.wrong == 0

    asyncio.run(scenario())


def test_a_file_that_nobody_gives_says_so_and_does_not_hold_up_others(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, *NAMES) as (_, (ada, ben, eve)):
            for node in (ada, eve):
                await node.stop()
            ada.timing = replace(QUICK, answer_s=0.5, retry_s=60.0, longest_retry_s=60.0)
            ada.start()  # she waits so long for the next try that nobody misses what she says meanwhile
            await has_started(ada, ben)
            lie = signed(claim("a", Content(bytes(32), 3_000_000)), node_key(2))
            end = eve.mesh.on(TOPIC, lambda _: None)
            await tell(eve.mesh, ada, lie)
            ben.write("b", "x")
            await until(lambda: ada.files() == {"b": b"x"}, "what there is comes")

            def words() -> list[str]:
                return [
                    state.why
                    for state in ada.sync.view().not_in_sync
                    if state.condition is FileCondition.WAITING
                ]

            await until(
                lambda: any("it waits for Eve" in why for why in words()), "Ada says whom she waits for"
            )
            assert not ada.sync.view().is_in_sync
            end()
            eve.start()

    asyncio.run(scenario())


def test_many_small_lies_about_sizes_come_to_nothing(tmp_path: Path) -> None:
    """The root is right, and the size is another."""

    async def scenario() -> None:
        async with sharing(tmp_path, *NAMES) as (_, (ada, ben, eve)):
            await eve.stop()
            await has_started(ada, ben)
            real = content_of(b"x" * 1_000)
            end = eve.mesh.on(TOPIC, lambda _: None)
            await tell(eve.mesh, ada, signed(claim("a", Content(real.root, 999)), node_key(2)))
            await until(lambda: ada.sync.view().files == 1, "Ada has heard of it")
            ben.write("b", "x")
            await until(lambda: "b" in ada.files(), "others come")
            assert ada.files() == {"b": b"x"}
            end()
            eve.start()

    asyncio.run(scenario())
