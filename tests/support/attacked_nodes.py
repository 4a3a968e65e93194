"""Honest nodes, as processes, that are attacked by one of their members: they outlast it, and tell of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.security.key_id import KeyId
from tests.support.hostile_member import HostileMember, Victim
from tests.support.mesh_crew import pair, told, wait_until_they_see
from tests.support.mesh_nodes import MeshNode
from tests.support.waiting import wait_until


@dataclass(frozen=True)
class Attacked:
    """Two that are linked, and the key of a third that both trust and that is away."""

    ana: MeshNode
    ben: MeshNode
    away: KeyId
    folder: Path

    def enemy(self, name: str) -> HostileMember:
        """Who comes to attack Ana; each has a name, and with that counters, of its own."""
        return HostileMember(name, self.folder / name, Victim(self.ana))


@contextmanager
def attacked_nodes(folder: Path) -> Iterator[Attacked]:
    """They run until the block ends; none of them may have come upon a bug."""
    with ExitStack() as ending:
        nodes = [MeshNode(name, folder / name) for name in ("ana", "ben", "cleo")]
        for node in nodes:
            ending.callback(node.end)
        pair(nodes)
        wait_until_they_see(nodes, nodes)
        ana, ben, cleo = nodes
        away = Victim(cleo).id
        cleo.end()
        wait_until_they_see((ana, ben), (ana, ben))
        yield Attacked(ana, ben, away, folder)
        assert "Traceback" not in ana.output + ben.output


def require_serves(node: MeshNode, honest: MeshNode) -> None:
    """Both talk to each other as before."""
    word = f"in spite of it {time.monotonic()}"
    for sender, receiver in ((honest, node), (node, honest)):
        told(sender, "send", to=receiver.called, text=word)
        receiver.wait_for_output(f"message from {sender.called}: {word}")
    assert "Traceback" not in node.output


def dropped_of(node: MeshNode, peer: str) -> dict[str, int]:
    """What a node has put down to a peer, by reason."""
    return next(dict(each["dropped"]) for each in told(node, "status")["peers"] if each["name"] == peer)


def require_dropped(node: MeshNode, peer: str, reason: str, least: int = 1) -> None:
    """It is counted, under the name of whoever has sent it, and said in the log once."""
    wait_until(
        lambda: dropped_of(node, peer).get(reason, 0) >= least,
        f"{least} are counted as {reason} of {peer}: {dropped_of(node, peer)}",
    )
    assert told(node, "status")["dropped"][reason] >= least
    words = f"dropped what came from {peer}: {reason}, "
    node.wait_for_output(words)
    assert node.count(words) == 1, node
