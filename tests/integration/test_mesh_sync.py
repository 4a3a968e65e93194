"""Folders that are kept alike over real sockets: several hops, several holders, the command line."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from mesh.files.settings import FolderSettings
from mesh.syncing.folders import SharedFolders, shared_folders
from tests.support.mesh_network import Nodes, running_nodes, until
from tests.support.mesh_world import full, line, mesh_key
from tests.support.sync_nodes import QUICK

FOLDER = "papers"


@asynccontextmanager
async def sharing(base: Path, nodes: Nodes) -> AsyncIterator[dict[int, SharedFolders]]:
    """All nodes share a folder."""
    async with AsyncExitStack() as stack:
        shared = {}
        for number in range(nodes.size):
            root(base, number).mkdir()
            members, home = nodes.members[number], base / "home" / str(number)
            shared[number] = await stack.enter_async_context(
                shared_folders(nodes[number], members, home, mesh_key(number), QUICK)
            )
            await shared[number].add(FolderSettings(FOLDER, root(base, number)))
        yield shared


def root(base: Path, number: int) -> Path:
    return base / f"folder-{number}"


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".fedloom" not in path.parts
    }


def test_a_file_goes_along_a_line_and_a_change_comes_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path / "nodes", 3, line(3)) as nodes, sharing(tmp_path, nodes) as shared:
            await nodes.all_there()
            data = random.Random(3).randbytes(3_000_000)
            (root(tmp_path, 0) / "large").write_bytes(data)
            (root(tmp_path, 2) / "deep").mkdir()
            (root(tmp_path, 2) / "deep/small").write_text("from the other end")
            wanted = {"large": data, "deep/small": b"from the other end"}
            everywhere = [root(tmp_path, number) for number in range(3)]
            await until(lambda: all(files(folder) == wanted for folder in everywhere), "all have both")

            (root(tmp_path, 2) / "large").unlink()
            (root(tmp_path, 1) / "deep/small").write_text("changed")
            wanted = {"deep/small": b"changed"}
            await until(lambda: all(files(folder) == wanted for folder in everywhere), "all have the changes")
            await until(
                lambda: all(view.is_in_sync for each in shared.values() for view in each.views()),
                "all say so",
            )
            assert all(view.conflicts == () for each in shared.values() for view in each.views())

    asyncio.run(scenario())


def test_a_large_file_comes_from_several_holders_and_its_chunks_survive_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path / "nodes", 3, full(3)) as nodes, sharing(tmp_path, nodes) as shared:
            await nodes.all_there()
            await shared[2].remove(FOLDER)
            data = random.Random(4).randbytes(8_000_000)
            (root(tmp_path, 0) / "large").write_bytes(data)
            await until(lambda: files(root(tmp_path, 1)) == {"large": data}, "1 has it")

            await shared[2].add(FolderSettings(FOLDER, root(tmp_path, 2)))
            parts = root(tmp_path, 2) / ".fedloom/parts"
            await until(lambda: parts.exists() and any(parts.iterdir()), "it begins to come")
            await shared[2].remove(FOLDER)
            await shared[2].add(FolderSettings(FOLDER, root(tmp_path, 2)))
            await until(lambda: files(root(tmp_path, 2)) == {"large": data}, "2 has it")
            await until(lambda: not any(parts.iterdir()), "nothing is left of its parts")

    asyncio.run(scenario())


def test_a_folder_that_was_removed_can_be_shared_anew_where_its_files_are_gone(tmp_path: Path) -> None:
    """As somebody does who tidies up, and begins anew (syncthing/syncthing#10189)."""

    async def scenario() -> None:
        async with running_nodes(tmp_path / "nodes", 2, full(2)) as nodes, sharing(tmp_path, nodes) as shared:
            await nodes.all_there()
            (root(tmp_path, 0) / "a").write_text("kept")
            await until(lambda: files(root(tmp_path, 1)) == {"a": b"kept"}, "1 has it")
            await shared[1].remove(FOLDER)
            shutil.rmtree(root(tmp_path, 1))
            root(tmp_path, 1).mkdir()
            await shared[1].add(FolderSettings(FOLDER, root(tmp_path, 1)))

            await until(lambda: files(root(tmp_path, 1)) == {"a": b"kept"}, "1 has it again")
            assert files(root(tmp_path, 0)) == {"a": b"kept"}

    asyncio.run(scenario())


def test_two_sides_that_were_cut_off_keep_both_changes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_nodes(tmp_path / "nodes", 3, line(3)) as nodes, sharing(tmp_path, nodes) as shared:
            await nodes.all_there()
            everywhere = [root(tmp_path, number) for number in range(3)]
            (everywhere[0] / "plan").write_text("both know this")
            await until(lambda: all(files(folder) for folder in everywhere), "all have it")
            await until(
                lambda: all(view.is_in_sync for each in shared.values() for view in each.views()),
                "all say so",
            )
            await shared[1].close()
            await nodes.stop(1)
            (everywhere[0] / "plan").write_text("one side")
            (everywhere[2] / "plan").write_text("the other")
            os.utime(everywhere[2] / "plan", (1, 1))
            await until(lambda: nodes.states(0)[2] == "offline", "0 and 2 are cut off", 90)

            await nodes.start(1)
            home = tmp_path / "home" / "1"
            async with shared_folders(nodes[1], nodes.members[1], home, mesh_key(1), QUICK):
                await until(
                    lambda: all(
                        sorted(files(folder).values()) == [b"one side", b"the other"] for folder in everywhere
                    ),
                    "all have both",
                    120,
                )
            assert (everywhere[1] / "plan").read_text() == "one side"

    asyncio.run(scenario())
