"""Another machine, as far as the network goes: a network namespace, with a cable that can be pulled."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.support.tools import give_up, require


class Namespace:
    """Linux's network namespace `name`, at `address`; this machine is at `gateway`."""

    def __init__(self, name: str, network: str) -> None:
        """`network`: the first three bytes of addresses that nothing here uses."""
        self.name = name
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


@contextmanager
def namespace() -> Iterator[Namespace]:
    """Make one; the test is given up where that cannot be done."""
    require("ip", why="a client's network is cut (Debian: iproute2)")
    number = os.getpid() % 250
    there = Namespace(f"fedloom-{number}", f"198.18.{number}")  # RFC 2544: for tests between networks
    made = subprocess.run(["ip", "netns", "add", there.name], capture_output=True, text=True)
    if made.returncode:
        give_up(f"needs the right to make network namespaces: {made.stderr.strip()}")
    try:
        there._set_up()
        yield there
    finally:
        _ip("netns", "del", there.name)  # and the cable with it


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
