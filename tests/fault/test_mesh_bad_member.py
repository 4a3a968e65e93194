"""A member that sends as much as it can: the others are served as before."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil

from mesh.commands.messages import SHOWN_BYTES
from mesh.control import ask
from mesh.node import Unreachable
from mesh.running import NodeSettings, RunningNode, running_node
from mesh.trust.folder import folder_of
from mesh.trust.invitation import MeshInvitation
from shared.security.key_id import KeyId
from tests.support.mesh_crew import pair, seen_by, share, told, wait_until_they_see
from tests.support.mesh_network import until
from tests.support.mesh_nodes import MeshNode

MESSAGES = 400
AT_ONCE = 20
MEMORY_BYTES = 100 << 20


def test_who_sends_without_end_fills_neither_log_nor_memory_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    with ExitStack() as ending:
        ana, ben = (MeshNode(name, tmp_path / name) for name in ("ana", "ben"))
        for node in (ana, ben):
            ending.callback(node.end)
        pair((ana, ben))
        wait_until_they_see((ana, ben), (ana, ben))
        share(ana, "notes")
        asyncio.run(_attack(ana, ben, tmp_path / "mallory"))

        assert told(ana, "status")["dropped"]["rate"] > 0
        assert "mallory sends too much" in ana.output
        assert len(ana.output) < 3 * SHOWN_BYTES
        assert "Traceback" not in ana.output


async def _attack(ana: MeshNode, ben: MeshNode, home: Path) -> None:
    async with running_node(NodeSettings("mallory", home, host="127.0.0.1")) as mallory:
        to = await _paired_with(ana, mallory)
        await until(lambda: "mallory" in seen_by(ana), "mallory is there")
        process = psutil.Process(ana.process.pid)
        before = process.memory_info().rss
        talking = asyncio.create_task(asyncio.to_thread(_talk, ben))
        await asyncio.gather(*(_send(mallory, to) for _ in range(AT_ONCE)))
        assert await talking == 20
        assert process.memory_info().rss - before < MEMORY_BYTES


async def _send(mallory: RunningNode, to: KeyId) -> None:
    """Floods on all topics, which are no messages of theirs, and lines of text."""
    for _ in range(MESSAGES // AT_ONCE):
        for topic in ("peers", "gossip/news", "run/proposal", "run/start", "sync/notes", "text"):
            mallory.network.flood(topic, secrets.token_bytes(20_000))
        with suppress(Unreachable):
            await mallory.network.send(to, "text", secrets.token_hex(900).encode())


def _talk(ben: MeshNode) -> int:
    """Each line of his is confirmed; how many."""
    for number in range(20):
        told(ben, "send", to="ana", text=f"number {number}")
    return 20


async def _paired_with(ana: MeshNode, mallory: RunningNode) -> KeyId:
    news: list[dict[str, str]] = []
    folder = folder_of(ana.home, ana.called)
    await asyncio.to_thread(ask, folder, "invite", news.append, addresses=[], waits=False)
    return (await mallory.pairing.join(MeshInvitation.parse(news[0]["invitation"]))).key
