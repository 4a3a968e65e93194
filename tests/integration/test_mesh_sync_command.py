"""`python -m mesh sync`, with nodes that run as processes of their own."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import commands
from tests.support.manual import Manual
from tests.support.mesh_crew import StartNode, starting_nodes
from tests.support.waiting import wait_until


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartNode]:
    """Starts nodes; a name that was there before is the same node again."""
    with starting_nodes(tmp_path) as start:
        yield start


def holds(folder: Path, name: str, text: str) -> bool:
    return (folder / name).is_file() and (folder / name).read_text() == text


def test_two_nodes_share_a_folder_over_kills_and_restarts(start: StartNode, tmp_path: Path) -> None:
    ana, ben = start("ana"), start("ben")
    ana.pair_with(ben)
    ana.wait_for_peers(ben="online")
    papers, copy = tmp_path / "My Papers", tmp_path / "copy"

    shared = ana.ask("sync", "add", str(papers))
    assert "is shared as my-papers with all members" in shared
    ben.ask("sync", "add", str(copy), "--id", "my-papers", "--receive-only", "--keep", "2")
    (papers / "a.txt").write_text("first")
    wait_until(lambda: holds(copy, "a.txt", "first"), "ben has the file", 90)
    wait_until(lambda: "1 of 1 files in sync" in ben.ask("sync", "status"), "ben says so", 90)

    ben.process.send_signal(signal.SIGKILL)
    ben.end()
    (papers / "a.txt").write_text("second")
    (papers / "b\u202e.txt").write_text("not a safe name")
    again = start("ben")
    again.wait_for_peers(ana="online")
    wait_until(lambda: holds(copy, "a.txt", "second"), "ben has the change", 90)

    status = ana.ask("sync", "status")
    assert "not shared" in status
    assert "\u202e" not in status
    (copy / "a.txt").write_text("changed where it is only received")
    wait_until(lambda: "changed here" in again.ask("sync", "status"), "ben is told", 90)
    assert "receives only" in again.ask("sync", "list")
    again.ask("sync", "remove", "my-papers")
    assert again.ask("sync", "list") == ""
    assert holds(copy, "a.txt", "changed where it is only received")
    assert holds(papers, "a.txt", "second")


def test_a_folder_for_some_members_does_not_go_to_others(start: StartNode, tmp_path: Path) -> None:
    ana, ben, eve = start("ana"), start("ben"), start("eve")
    ana.pair_with(ben)
    ana.pair_with(eve)
    ana.wait_for_peers(ben="online", eve="online")
    for node, others in ((ana, ["ben"]), (ben, ["ana"]), (eve, ["ana"])):
        flags = [flag for other in others for flag in ("--with", other)]
        node.ask("sync", "add", str(tmp_path / f"of-{node.called}"), "--id", "papers", *flags)
    (tmp_path / "of-ana/secret").write_text("for ben")
    wait_until(lambda: holds(tmp_path / "of-ben", "secret", "for ben"), "ben has it", 90)
    (tmp_path / "of-eve/bad").write_text("from eve")

    wait_until(lambda: "does not share the folder" in ana.ask("sync", "status"), "ana refuses eve", 90)

    assert "with ben" in ana.ask("sync", "list")
    assert not (tmp_path / "of-eve/secret").exists()
    assert not (tmp_path / "of-ana/bad").exists()


def test_what_cannot_be_shared_is_said(start: StartNode, tmp_path: Path) -> None:
    ana = start("ana")
    ana.ask("sync", "add", str(tmp_path / "outer"))
    (tmp_path / "file").write_text("x")
    for arguments, words in [
        (["add", str(tmp_path / "outer/inner")], "lie in one another"),
        (["add", str(tmp_path / "file")], "cannot be shared"),
        (["add", str(tmp_path / "x"), "--id", "Not Good"], "cannot be a folder's id"),
        (["add", str(tmp_path / "x"), "--with", "nobody"], "Nobody is known here as 'nobody'"),
        (["remove", "nothing"], "No folder is shared here as nothing"),
    ]:
        done = ana.attempt("sync", *arguments)
        assert done.returncode == 1, arguments
        assert words in done.stdout + done.stderr
    listed = json.loads((ana.home / "mesh/ana/folders/folders.json").read_text())
    assert [item["id"] for item in listed] == ["outer"]


def test_every_command_of_the_document_does_what_it_says(start: StartNode, tmp_path: Path) -> None:
    manual = Manual(commands("docs/mesh-files.md"))
    ana, ben = start("ana"), start("ben")
    ana.pair_with(ben)
    papers, copy = str(tmp_path / "papers"), str(tmp_path / "copy")

    manual.carry_out("python -m mesh sync add FOLDER", ana.home, FOLDER=papers)
    for flags in ("", " --receive-only", " --with NODE"):
        command = f"python -m mesh sync add FOLDER --id NAME{flags}"
        manual.carry_out(command, ben.home, FOLDER=copy, NAME="papers", NODE="ana")
    (tmp_path / "copy/a").write_text("x")
    wait_until(lambda: holds(tmp_path / "papers", "a", "x"), "ana has the file", 90)

    status = "python -m mesh sync status"
    wait_until(lambda: "1 of 1 files in sync" in manual.carry_out(status, ana.home), "ana says so", 90)
    assert "with ana" in manual.carry_out("python -m mesh sync list", ben.home)
    manual.carry_out("python -m mesh sync remove NAME", ben.home, NAME="papers")
    assert holds(tmp_path / "copy", "a", "x")
    assert manual.untried == []
