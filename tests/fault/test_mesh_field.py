"""The mesh in the field: nodes on machines of their own, a network that breaks in two, and heals."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from mesh.learning.arrays import Arrays, decoded, distance
from mesh.trust.folder import folder_of, taken
from mesh.trust.store import MemberStore
from shared.names import DatasetName, ModelName
from shared.run_spec import RunSpec
from shared.security.client_key import key_file
from shared.security.keys import KeyPair
from shared.security.roster import Roster, RosterEntry
from tests.support.mesh_crew import (
    PATIENCE_S,
    Stream,
    end_all,
    pair,
    share,
    wait_until_alike,
    wait_until_they_see,
)
from tests.support.mesh_learners import accuracy_of
from tests.support.mesh_nodes import MeshNode
from tests.support.paced_node import allow, model_file
from tests.support.two_halves import INTERFACE, Machine, TwoHalves, two_halves
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

PACED = "-m tests.support.paced_node"

BEFORE, IN_TWO, ROUNDS = 3, 6, 9
"""The last rounds before the cut, and before it heals; and of all."""


def start(
    machine: Machine, name: str, home: Path, ending: ExitStack, *flags: str, **options: str
) -> MeshNode:
    """A node on this machine, on all its addresses."""
    interface = ("--mesh-interface", INTERFACE)
    node = MeshNode(name, home, *interface, *flags, host="0.0.0.0", before=machine.command(), **options)
    ending.callback(node.end)
    return node


def models(nodes: Sequence[MeshNode], mesh_round: int) -> list[Arrays]:
    """Of all of them after this round, for which it waits."""
    files = [model_file(node.home, mesh_round) for node in nodes]
    for file, node in zip(files, nodes, strict=True):
        wait_until(file.exists, f"{node} has done round {mesh_round}", PATIENCE_S)
    return [decoded(file.read_bytes()) for file in files]


def deviation(found: Sequence[Arrays]) -> float:
    """How far apart the two are that differ most."""
    return max(distance(one, other) for one, other in itertools.combinations(found, 2))


def train_up_to(mesh_round: int, nodes: Sequence[MeshNode]) -> list[Arrays]:
    """Let all train; their models then."""
    for node in nodes:
        allow(node.home, mesh_round)
    return models(nodes, mesh_round)


@dataclass(frozen=True)
class Field:
    """Nodes on both sides of a cable, and the model that all of them learn."""

    network: TwoHalves
    left: Sequence[MeshNode]
    right: Sequence[MeshNode]
    model: ModelName

    @property
    def nodes(self) -> Sequence[MeshNode]:
        """All."""
        return [*self.left, *self.right]

    @property
    def halves(self) -> Mapping[str, Sequence[MeshNode]]:
        """By their names."""
        return {"left": self.left, "right": self.right}


def test_six_nodes_are_cut_in_two_go_on_and_are_one_again(tmp_path: Path, ending: ExitStack) -> None:
    network = ending.enter_context(two_halves(3, 3))
    nodes = [
        start(machine, name, tmp_path / name, ending, script=PACED)
        for name, machine in zip(("ana", "ben", "cleo", "dan", "eva", "finn"), network.machines, strict=True)
    ]
    pair(nodes)
    live_through_a_cut(Field(network, nodes[:3], nodes[3:], ModelName.CNN), ending)


def test_so_are_twenty(tmp_path: Path, ending: ExitStack) -> None:
    """Ten on each of two machines; a server has vouched for all, and they know one address to begin with.

    What limits it is the processors: the twenty train, sign, verify and read files at once, on as many cores
    as there are. Beyond that it waits for two things alone: at the cut, until each side has seen that the
    other is gone (`Pace.dead_s`, and `forget_s` for those who are no neighbours), and when it heals, until a
    node that was tried in vain is tried again (at most `mesh.dialling.LONGEST_WAIT_S`).
    """
    network = ending.enter_context(two_halves(1, 1))
    names = [f"{side}-{number}" for side in ("left", "right") for number in range(10)]
    vouch(tmp_path, names)
    join: tuple[str, ...] = ()
    nodes: list[MeshNode] = []
    for name in names:
        machine = network.machines[name.startswith("right")]
        nodes.append(start(machine, name, tmp_path / name, ending, *join, script=PACED))
        join = ("--mesh-join", f"{network.left[0].address}:{nodes[0].port}")
    live_through_a_cut(Field(network, nodes[:10], nodes[10:], ModelName.LINEAR), ending)


def live_through_a_cut(field: Field, ending: ExitStack) -> None:
    """They learn, change files and send messages before a cut, on both sides of it, and after it."""
    wait_until_they_see(field.nodes, field.nodes)
    folders = {node.called: share(node, "notes") for node in field.nodes}
    (folders[field.left[0].called] / "plan.txt").write_text("the plan of all")
    (folders[field.right[1].called] / "old.txt").write_text("to be deleted")
    wait_until_alike(list(folders.values()), ("plan.txt", "old.txt"))

    (a, b, c, *_), (d, e, *_) = field.left, field.right
    across, across_back, within = Stream(a, d), Stream(e, b), Stream(b, c)
    with across, across_back, within:
        many = len(field.nodes)
        spec = ("--dataset", "digits", "--model", field.model, "--rounds", str(ROUNDS), "--iid")
        run = a.start_command("run", *spec, "--min-nodes", str(many))
        ending.callback(run.end)
        run.wait_for_output(rf"\b{many} nodes take part")
        train_up_to(BEFORE, field.nodes)

        field.network.cut()
        in_two = go_on_in_two(field, folders)
        field.network.heal()
        wait_until_they_see(field.nodes, field.nodes)

        train_up_to(ROUNDS, field.nodes)
        assert run.wait_for_exit(PATIENCE_S) == 0, run
        require_one_model(field, in_two)
        require_one_folder(list(folders.values()))
        wait_until_more_comes(across, across_back, within)
    for stream in (across, across_back, within):
        require_once(stream)
    assert within.unsure == set(), "both were on the same side all the time"
    end_all(field.nodes)


def go_on_in_two(field: Field, folders: Mapping[str, Path]) -> float:
    """Each side trains, and changes files, one of them on both; how far apart their models are in the end."""
    for nodes in field.halves.values():
        wait_until_they_see(nodes, nodes)
    before = models(field.nodes, BEFORE)
    now = train_up_to(IN_TWO, field.nodes)
    assert all(distance(one, other) > 0 for one, other in zip(before, now, strict=True)), "all have learned"
    (folders[field.right[0].called] / "old.txt").unlink()
    for side, nodes in field.halves.items():
        shared = [folders[node.called] for node in nodes]
        (shared[0] / "plan.txt").write_text(f"the plan of the {side}")
        (shared[1] / f"{side}.bin").write_bytes(side.encode() * 200_000)
        alike = wait_until_alike(shared, ("plan.txt", f"{side}.bin"))
        assert alike["plan.txt"] == f"the plan of the {side}".encode()
    return deviation(now)


def vouch(folder: Path, names: Sequence[str]) -> None:
    """Have a server sign a list of these nodes, of which each has its home in `folder`."""
    server = KeyPair.make()
    keys = {name: KeyPair.load_or_make(key_file(made(folder / name), name)).public for name in names}
    entries = tuple(RosterEntry(name, key) for name, key in keys.items())
    data = Roster(server.public.id, 1, 1, entries).signed(server)
    for name, key in keys.items():
        where = folder_of(folder / name, name)
        with taken(where):
            MemberStore(where, key.id).take_roster(data, [server.public.id])


def made(folder: Path) -> Path:
    """It, which is there now."""
    folder.mkdir()
    return folder


def wait_until_more_comes(*streams: Stream) -> None:
    """Messages come again, or still."""
    enough = [len(stream.confirmed) + 5 for stream in streams]
    wait_until(
        lambda: all(len(each.confirmed) > many for each, many in zip(streams, enough, strict=True)),
        "messages come",
        PATIENCE_S,
    )


def require_one_model(field: Field, in_two: float) -> None:
    """All have kept nearly the same model, and it is worth something."""
    files = [next((node.home / "mesh" / node.called / "models").iterdir()) for node in field.nodes]
    kept = [decoded(file.read_bytes()) for file in files]
    assert deviation(kept) < 0.01 * in_two
    assert accuracy_of(RunSpec(dataset=DatasetName.DIGITS, model=field.model), kept[0]) > 0.5


def require_one_folder(folders: Sequence[Path]) -> None:
    """All have the same files, and nothing of what was written on either side is lost."""
    alike = wait_until_alike(folders, ("left.bin", "right.bin"))
    plans = {name: data for name, data in alike.items() if name.startswith("plan")}
    assert set(plans.values()) == {b"the plan of the left", b"the plan of the right"}
    assert len(plans) == 2, "one of them as a conflict copy"
    assert "old.txt" not in alike


def require_once(stream: Stream) -> None:
    """What was confirmed came once; what was not came at most once."""
    wait_until(lambda: stream.confirmed <= set(stream.received()), "all that was confirmed is shown")
    came = stream.received()
    assert len(came) == len(set(came)), "none twice"
    assert set(came) <= stream.confirmed | stream.unsure


def test_two_that_have_both_moved_find_each_other_by_multicast(tmp_path: Path, ending: ExitStack) -> None:
    network = ending.enter_context(two_halves(1, 1))
    there = dict(zip(("ana", "ben"), network.machines, strict=True))
    nodes = [start(machine, name, tmp_path / name, ending) for name, machine in there.items()]
    nodes[0].pair_with(nodes[1])
    wait_until_they_see(nodes, nodes)
    for node in nodes:
        node.end()

    moved = [
        start(machine, name, tmp_path / name, ending, "--mesh-port", str(port))
        for port, (name, machine) in enumerate(there.items(), start=7001)
    ]
    assert {node.port for node in nodes}.isdisjoint(node.port for node in moved)
    wait_until_they_see(moved, moved)
