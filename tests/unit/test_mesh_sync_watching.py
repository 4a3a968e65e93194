"""How a folder's changes are seen, and what is told where that, or the folder, fails."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import mesh.files.watching
from mesh.files.states import FileCondition
from mesh.files.watching import CannotWatch, changes
from tests.support.sync_nodes import sharing, until


def limit_reached(*_: object, **__: object) -> None:
    raise OSError(28, "OS file watch limit reached.")


def test_a_system_whose_limit_of_watches_is_reached_is_told_and_scans_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mesh.files.watching, "watch", limit_reached)

    async def scenario() -> None:
        async with sharing(tmp_path, "Ada", "Ben") as (_, (ada, ben)):
            await until(lambda: "max_user_watches" in ada.sync.view().scans_only, "it is told")
            ada.write("a", "x")
            ada.sync.changed()
            await until(lambda: ben.files() == {"a": b"x"}, "a scan has found the file")

    asyncio.run(scenario())


def test_other_reasons_not_to_watch_are_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("unknown file system")

    monkeypatch.setattr(mesh.files.watching, "watch", broken)

    async def scenario() -> None:
        with pytest.raises(CannotWatch, match=r"\(unknown file system\)"):
            await anext(changes(tmp_path, 0.1))

    asyncio.run(scenario())


def test_fedlooms_own_files_are_no_changes(tmp_path: Path) -> None:
    (tmp_path / ".fedloom").mkdir()

    async def scenario() -> None:
        seen: list[int] = []

        async def look() -> None:
            async for _ in changes(tmp_path, 0.01):
                seen.append(1)

        looking = asyncio.create_task(look())
        await until(lambda: len(seen) == 1, "it is told that the folder is watched")
        (tmp_path / ".fedloom/part").write_text("x")
        (tmp_path / "file").write_text("x")
        await until(lambda: len(seen) == 2, "the file is seen")
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    asyncio.run(scenario())


def test_a_folder_that_vanishes_says_so_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, "Ada", "Ben") as (_, (ada, ben)):
            ada.write("a", "x")
            await until(lambda: ben.files() == {"a": b"x"}, "Ben has it")
            (tmp_path / "Ben").rename(tmp_path / "unmounted")
            (tmp_path / "Ben").mkdir()
            await ben.stop()
            ben.start()
            await until(lambda: "Nothing counts as deleted" in ben.sync.view().problem, "Ben says so")
            (tmp_path / "Ben").rmdir()
            (tmp_path / "unmounted").rename(tmp_path / "Ben")
            ada.write("b", "y")
            await until(lambda: ben.files() == {"a": b"x", "b": b"y"}, "Ben goes on")
            assert ben.sync.view().problem == ""
            assert ada.files() == ben.files()

    asyncio.run(scenario())


def test_what_is_not_shared_is_told_with_the_reason(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, "Ada", "Ben") as (_, (ada, ben)):
            ada.write("a", "x")
            (ada.root / "link").symlink_to("a")
            await until(lambda: ben.files() == {"a": b"x"}, "Ben has the file")
            await until(lambda: ada.sync.view().not_in_sync, "Ada is told of the link")
            (state,) = ada.sync.view().not_in_sync
            assert (state.name, state.condition, state.why) == (
                "link",
                FileCondition.NOT_SHARED,
                "it is a link",
            )

    asyncio.run(scenario())


def test_rules_that_are_none_stop_the_folder_and_say_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sharing(tmp_path, "Ada", "Ben") as (_, (ada, ben)):
            ada.write(".fedloomignore", "!")
            await until(lambda: "pattern" in ada.sync.view().problem, "Ada is told")
            ada.write(".fedloomignore", "*.tmp")
            ada.write("a.tmp", "x")
            ada.write("a", "x")
            await until(lambda: ben.files() == {"a": b"x"}, "it goes on")

    asyncio.run(scenario())
