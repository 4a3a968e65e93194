"""A network of machines of its own that can be cut in two: all of it in network namespaces, none of it here.

    left machines -- switch -- cable -- switch -- right machines

All are on one network, so that multicast goes everywhere. Nothing leads from it to this machine.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.support.tools import give_up, require

INTERFACE = "lan"
"""Of each machine."""


@dataclass(frozen=True)
class Machine:
    """One of them. `address`: where the others reach it."""

    namespace: str
    address: str

    def command(self) -> Sequence[str]:
        """What goes before a command that is to run there."""
        return ("ip", "netns", "exec", self.namespace)


@dataclass(frozen=True)
class TwoHalves:
    """The network."""

    ground: str
    """The namespace of the switches."""
    left: tuple[Machine, ...]
    right: tuple[Machine, ...]

    @property
    def machines(self) -> tuple[Machine, ...]:
        """All."""
        return self.left + self.right

    def cut(self) -> None:
        """Pull the cable between the switches: nothing gets across any more, and nobody is told."""
        _ip("-n", self.ground, "link", "set", "cable-l", "down")

    def heal(self) -> None:
        """Put it in again."""
        _ip("-n", self.ground, "link", "set", "cable-l", "up")


@contextmanager
def two_halves(left: int, right: int) -> Iterator[TwoHalves]:
    """Make one, with so many machines on each side; the test is given up where that cannot be done."""
    require("ip", why="nodes have networks of their own (Debian: iproute2)")
    with ExitStack() as ending:
        ground = _namespace(f"fedloom-h{os.getpid()}", ending)
        _ip("-n", ground, "link", "add", "cable-l", "type", "veth", "peer", "name", "cable-r")
        for side in ("l", "r"):
            switch = f"switch-{side}"
            _ip("-n", ground, "link", "add", switch, "type", "bridge", "mcast_snooping", "0")
            _ip("-n", ground, "link", "set", f"cable-{side}", "master", switch, "up")
            _ip("-n", ground, "link", "set", switch, "up")
        sides = ["l"] * left + ["r"] * right
        machines = [_machine(ground, number, side, ending) for number, side in enumerate(sides, start=1)]
        yield TwoHalves(ground, tuple(machines[:left]), tuple(machines[left:]))


def _machine(ground: str, number: int, side: str, ending: ExitStack) -> Machine:
    name = _namespace(f"{ground}-{number}", ending)
    address, port = f"198.18.0.{number}", f"port-{number}"
    _ip("-n", ground, "link", "add", port, "type", "veth", "peer", "name", INTERFACE, "netns", name)
    _ip("-n", ground, "link", "set", port, "master", f"switch-{side}", "up")
    _ip("-n", name, "addr", "add", f"{address}/24", "dev", INTERFACE)
    _ip("-n", name, "link", "set", "lo", "up")
    _ip("-n", name, "link", "set", INTERFACE, "up")
    return Machine(name, address)


def _namespace(name: str, ending: ExitStack) -> str:
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if made.returncode != 0:
        give_up(f"needs the right to make network namespaces: {made.stderr.strip()}")
    ending.callback(_ip, "netns", "del", name)
    return name


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
