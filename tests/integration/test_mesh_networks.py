"""Nodes in networks of their own: found by multicast on the same one, and reached over one in the middle."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

from mesh.discovery.mdns import Multicast, Nearby
from shared.address import Address
from tests.support.mesh import KnownMembers, a_key
from tests.support.mesh_nodes import MeshNode
from tests.support.namespaces import namespaces

ANA, BEN = a_key(1), a_key(2)


def paired(folder: Path, *names: str) -> None:
    """Have nodes paired, each with each; none runs afterwards, and each will listen elsewhere."""
    with ExitStack() as ending:
        nodes = []
        for name in names:
            nodes.append(MeshNode(name, folder / name))
            ending.callback(nodes[-1].end)
        for number, node in enumerate(nodes):
            for other in nodes[number + 1 :]:
                node.pair_with(other)


def test_two_on_one_network_find_each_other(tmp_path: Path, ending: ExitStack) -> None:
    paired(tmp_path, "ana", "ben")
    [there] = ending.enter_context(namespaces(1))
    ana = MeshNode("ana", tmp_path / "ana", "--mesh-interface", there.name, host="0.0.0.0")
    ending.callback(ana.end)
    ben = MeshNode("ben", tmp_path / "ben", host="0.0.0.0", before=there.command())
    ending.callback(ben.end)

    assert ana.address.startswith(f"{there.gateway}:")
    assert ben.address.startswith(f"{there.address}:"), "the default route's interface is taken"
    ana.wait_for_peers(ben="online")
    ben.wait_for_peers(ana="online")


def test_two_that_do_not_reach_each_other_send_over_a_third(tmp_path: Path, ending: ExitStack) -> None:
    paired(tmp_path, "ana", "ben", "cat")
    here, there = ending.enter_context(namespaces(2))
    ben = MeshNode("ben", tmp_path / "ben", "--mesh-interface", here.name, host="0.0.0.0")
    ending.callback(ben.end)
    ends = []
    for name, network in (("ana", here), ("cat", there)):
        to_ben = ("--mesh-join", f"{network.gateway}:{ben.port}")
        ends.append(MeshNode(name, tmp_path / name, *to_ben, before=network.command()))
        ending.callback(ends[-1].end)
    ana, cat = ends
    ana.wait_for_peers(ben="online", cat="online")
    cat.wait_for_peers(ben="online", ana="online")

    [line] = [line for line in ana.ask("peers").splitlines() if line.startswith("cat")]
    assert "2 hops" in line
    ana.ask("send", "cat", "hello there")
    cat.wait_for_output("message from ana: hello there")
    assert "hello there" not in ben.output


def test_who_announces_is_found_by_members_alone() -> None:
    async def play() -> tuple[KnownMembers, KnownMembers]:
        """Ana trusts Ben, and Ben does not trust Ana."""
        of_ana, of_ben = KnownMembers(), KnownMembers()
        of_ana.add(BEN)
        found = asyncio.Event()
        of_ana.watch(found.set)
        heard_by_ben = Nearby(of_ben)
        tasks = [
            asyncio.ensure_future(Multicast(key, port, nearby).run(lambda: ("127.0.0.1",)))
            for key, port, nearby in ((ANA, 5001, Nearby(of_ana)), (BEN, 5002, heard_by_ben))
        ]
        async with asyncio.timeout(60):
            await found.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return of_ana, of_ben

    of_ana, of_ben = asyncio.run(play())

    assert of_ana.members[BEN].addresses == (Address("127.0.0.1", 5002),)
    assert not of_ben.members
