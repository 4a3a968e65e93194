"""A folder is kept alike over the mesh, by nodes that come, go, and are not always honest."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.support.mesh_in_memory import Faults
from tests.support.sync_nodes import sharing, until


def test_what_one_node_writes_comes_to_all(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, "Ada", "Ben", "Cleo") as (_, nodes):
            nodes[0].write("notes/today.txt", "rain")
            large = bytes(range(256)) * 4_000
            nodes[1].write("large", large)

            wanted = {"notes/today.txt": b"rain", "large": large}
            await until(lambda: all(node.files() == wanted for node in nodes), "all have both files")
            await until(lambda: all(node.sync.view().is_in_sync for node in nodes), "all say so")
            assert nodes[2].sync.view().files == 2
            assert nodes[2].sync.view().bytes == len("rain") + len(large)
            await until(lambda: all(node.sync.view().alike == 2 for node in nodes), "and of the others")
            assert [node.sync.view().peers for node in nodes] == [2, 2, 2]

    asyncio.run(scenario())


def test_changes_and_deletions_come_to_who_was_away(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, "Ada", "Ben", "Cleo") as (network, nodes):
            ada, ben, cleo = nodes
            ada.write("a", "first")
            ada.write("b", "first")
            await until(lambda: all(len(node.files()) == 2 for node in nodes), "all have the files")
            network.leave(cleo.mesh)
            ben.write("a", "second")
            (ben.root / "b").unlink()
            await until(lambda: ada.files() == {"a": b"second"}, "Ada has the change")
            network.leave(ben.mesh)
            network.come_back(cleo.mesh)

            await until(lambda: cleo.files() == {"a": b"second"}, "Cleo has it from Ada")

    asyncio.run(scenario())


def test_a_folder_that_is_moved_away_while_it_is_shared_deletes_nothing_and_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As syncthing's users have met it, with disks that were unplugged (syncthing/syncthing#762, #1496)."""

    async def scenario() -> None:
        async with sharing(tmp_path, "Ada", "Ben") as (_, (ada, ben)):
            ada.write("a", "kept")
            await until(lambda: ben.files() == {"a": b"kept"}, "Ben has it")
            elsewhere = tmp_path / "elsewhere"
            ben.root.rename(elsewhere)
            ben.sync.changed()
            # The next try has other words, and comes soon: the log has both.
            await until(lambda: "Nothing counts as deleted" in caplog.text, "Ben is told")
            ben.root.mkdir()  # where a disk is not mounted
            await until(lambda: "disk not mounted" in ben.sync.view().problem, "Ben is told what to look for")
            (elsewhere / "a").write_text("of another folder")
            assert ada.files() == {"a": b"kept"}

            ben.root.rmdir()
            elsewhere.rename(ben.root)
            await until(lambda: ada.files() == {"a": b"of another folder"}, "it goes on where it was")

    asyncio.run(scenario())


def test_a_node_that_starts_anew_goes_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, "Ada", "Ben") as (_, (ada, ben)):
            ada.write("a", "first")
            await until(lambda: ben.files() == {"a": b"first"}, "Ben has it")
            await ben.stop()
            ben.write("a", "second")
            ada.write("c", "new")
            ben.start()

            wanted = {"a": b"second", "c": b"new"}
            await until(lambda: ada.files() == ben.files() == wanted, "both have both")

    asyncio.run(scenario())


def test_a_file_whose_holders_are_away_says_whom_it_waits_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, "Ada", "Ben", "Cleo") as (network, (ada, ben, cleo)):
            await until(lambda: all(node.sync.view().path for node in (ada, ben)), "they run")
            network.cut([ada.mesh, ben.mesh], [cleo.mesh])
            ada.write("a", "x")
            await until(lambda: ben.files() == {"a": b"x"}, "Ben has it")
            ben_file = ben.root / "a"
            await until(lambda: ben.sync.view().is_in_sync, "Ben says so")
            assert ben_file.read_bytes() == b"x"
            network.cut([ada.mesh], [ben.mesh, cleo.mesh])
            await until(lambda: cleo.files() == {"a": b"x"}, "Cleo has it from Ben")

    asyncio.run(scenario())


@pytest.mark.parametrize("seed", range(3))
def test_over_a_bad_network_all_come_to_the_same_and_nothing_is_lost(tmp_path: Path, seed: int) -> None:
    """Messages are lost, late, and confirmed in vain; the network falls apart now and then."""
    choice = random.Random(seed)

    async def scenario() -> None:
        async with sharing(tmp_path, "Ada", "Ben", "Cleo", "Dan") as (network, nodes):
            network.faults = Faults(loss=0.1, unsure=0.1, max_delay_s=0.02)
            written: set[bytes] = set()
            for number in range(20):
                sides = choice.sample(nodes, 4)
                network.cut([node.mesh for node in sides[:2]], [node.mesh for node in sides[2:]])
                node, name = choice.choice(nodes), choice.choice("abc")
                path = node.root / name
                if path.exists() and choice.random() < 0.3:
                    written.discard(path.read_bytes())
                    path.unlink()
                else:
                    if path.exists():
                        written.discard(path.read_bytes())
                    data = b"%d of %s" % (number, node.name.encode())
                    node.write(name, data)
                    written.add(data)
                await asyncio.sleep(choice.random() * 0.2)
            network.heal()
            await until(
                lambda: (
                    all(node.files() == nodes[0].files() for node in nodes)
                    and all(node.sync.view().is_in_sync for node in nodes)
                ),
                "all have the same",
            )
            everything = {data for node in nodes for data in (*node.files().values(), *node.old_versions())}
            assert written <= everything

    asyncio.run(scenario())
