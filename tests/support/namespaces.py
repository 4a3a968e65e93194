"""Other machines, as far as the network goes: network namespaces, each with a cable that can be pulled."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from tests.support.tools import give_up, require

NETWORK = "198.18.0.0/15"
"""That RFC 2544 leaves to tests between networks."""

NETWORKS = 512
"""In it, with 256 addresses each."""


class Namespace:
    """Linux's network namespace `name`, at `address`; this machine is at `gateway`."""

    def __init__(self, number: int) -> None:
        """`number`: below NETWORKS."""
        self.name = f"fedloom-{number}"
        network = f"198.{18 + number // 256}.{number % 256}"
        self.gateway, self.address = f"{network}.1", f"{network}.2"

    def command(self) -> Sequence[str]:
        """What goes before a command that is to run there."""
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        """Pull the cable: nothing gets through any more, and nobody is told."""
        _ip("-n", self.name, "link", "set", "cable", "down")

    def heal(self) -> None:
        """Put it in again."""
        _ip("-n", self.name, "link", "set", "cable", "up")

    def _set_up(self) -> None:
        here = self.name
        _ip("link", "add", here, "type", "veth", "peer", "name", "cable", "netns", self.name)
        _ip("addr", "add", f"{self.gateway}/24", "dev", here)
        _ip("link", "set", here, "up")
        _ip("-n", self.name, "addr", "add", f"{self.address}/24", "dev", "cable")
        _ip("-n", self.name, "link", "set", "lo", "up")
        _ip("-n", self.name, "link", "set", "cable", "up")
        _ip("-n", self.name, "route", "add", "default", "via", self.gateway)


@contextmanager
def namespace() -> Iterator[Namespace]:
    """Make one; the test is given up where that cannot be done."""
    require("ip", why="clients have networks of their own (Debian: iproute2)")
    there = _claim()
    try:
        there._set_up()
        yield there
    finally:
        subprocess.run(["ip", "link", "del", there.name], capture_output=True)  # else it goes a little later
        _ip("netns", "del", there.name)


@contextmanager
def namespaces(count: int) -> Iterator[list[Namespace]]:
    """Make several; each reaches this machine at the gateway of any of them."""
    with ExitStack() as making:
        yield [making.enter_context(namespace()) for _ in range(count)]


def _claim() -> Namespace:
    """The first that nobody has made, also no other process of these tests."""
    for number in range(NETWORKS):
        there = Namespace(number)
        made = subprocess.run(["ip", "netns", "add", there.name], capture_output=True, text=True)
        if made.returncode == 0:
            return there
        if "File exists" not in made.stderr:
            give_up(f"needs the right to make network namespaces: {made.stderr.strip()}")
    return give_up(f"needs a network namespace; all of fedloom-0 to fedloom-{NETWORKS - 1} are there")


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
