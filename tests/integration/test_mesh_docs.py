"""Every command for a node of docs/mesh-use.md does what the document says, on two machines."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from mesh.commands.node import join_text
from shared import qr
from tests.support.documents import commands
from tests.support.manual import Manual
from tests.support.mesh_nodes import MeshNode
from tests.support.processes import Command
from tests.support.waiting import wait_until


def test_two_nodes_are_paired_talk_and_part_as_the_document_says(tmp_path: Path) -> None:
    manual = Manual([each for each in commands("docs/mesh-use.md") if each.startswith("python -m mesh ")])
    with ExitStack() as ending:

        def start(name: str, command: str, **meant: str) -> MeshNode:
            """A node as the document starts it, but on loopback and at a port that is free."""
            _python, _m, _mesh, node, _name, named, *flags = manual.words(command, NODE=name, **meant)
            assert (node, named) == ("node", name)
            started = MeshNode(name, tmp_path / name, *flags)
            ending.callback(started.end)
            return started

        ana = start("ana", "python -m mesh node --name NODE")
        ben = start("ben", "python -m mesh node --name NODE")
        words = manual.words("python -m mesh invite --png invitation.png --svg invitation.svg")
        inviting = Command("-m mesh", *words[3:], home=ana.home)
        ending.callback(inviting.end)
        inviting.wait_for_output("Waiting for it")
        text = qr.read_picture(ana.home / "invitation.png")
        assert join_text(text), "--mesh-join takes it, too"
        (ben.home / "invitation.png").write_bytes((ana.home / "invitation.png").read_bytes())
        shown = manual.carry_out("python -m mesh join invitation.png", ben.home)
        assert inviting.wait_for_exit(60.0) == 0
        assert shown.split("Check code: ")[1].split()[0] in inviting.output
        ben.wait_for_peers(ana="online")

        assert "ana" in manual.carry_out("python -m mesh peers", ben.home)
        assert "members   1, 1 online" in manual.carry_out("python -m mesh status", ben.home)
        said = "python -m mesh send NODE 'the night shift is here'"
        assert "ana has it" in manual.carry_out(said, ben.home, NODE="ana")
        ana.wait_for_output("message from ben: the night shift is here")
        assert "The node works" in manual.carry_out("python -m mesh doctor", ben.home)

        ana.end()
        ben.wait_for_peers(ana="offline")
        at_ben = "python -m mesh node --name NODE --mesh-join HOST:PORT"
        ana = start("ana", at_ben, HOST="127.0.0.1", PORT=ben.port)
        ben.wait_for_peers(ana="online")

        assert "not paired" in manual.carry_out("python -m mesh unpair NODE", ben.home, NODE="ana")
        assert "blocked" in manual.carry_out("python -m mesh block NODE", ana.home, NODE="ben")
        undone = "python -m mesh block --undo NODE"
        assert "not blocked any more" in manual.carry_out(undone, ana.home, NODE="ben")
        wait_until(lambda: not ana.peers() and not ben.peers(), "nobody is a member any more")
    assert manual.untried == []
