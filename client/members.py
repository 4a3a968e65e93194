"""`python -m client.members`: whose keys the clients of this folder remember, and forgetting one.

In secure aggregation a client refuses another that comes with another key than before. Where its site says
that the key is new, it has to be forgotten here. Clients may run meanwhile.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from client.known_members import known_in
from shared import paths
from shared.command import ends_in_words, run


@ends_in_words
def main(argv: Sequence[str] | None = None) -> int:
    """List or forget, return the exit code: 0, or 1 with a message."""
    arguments = build_parser().parse_args(argv)
    home = paths.home_dir()
    if arguments.command == "forget":
        return _forget(home, arguments.name)
    _list(home)
    return 0


def _list(home: Path) -> None:
    is_empty = True
    for own, members in known_in(home):
        if met := members.known():
            is_empty = False
            print(f"The client with the key {own} has met")
        for name, key in sorted(met.items()):
            print(f"  {key}  {name}")
    if is_empty:
        print(f"The clients of {home.absolute()} have met no other in a secure aggregation.")


def _forget(home: Path, name: str) -> int:
    forgotten = [(own, key) for own, members in known_in(home) if (key := members.forget(name)) is not None]
    for own, key in forgotten:
        print(f"Forgotten: {name} with the key {key}, by the client with the key {own}")
    if forgotten:
        print(f"The key that {name} has in the next secure aggregation is believed.")
        return 0
    print(
        f"error: No client with its files in {home.absolute()} has met a client {name!r}. `python -m "
        "client.members` lists those that were met; FEDLOOM_HOME names another folder.",
        file=sys.stderr,
    )
    return 1


def build_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        prog="python -m client.members",
        description="Show which keys the clients of this folder (FEDLOOM_HOME) remember of those with whom "
        "they take part in secure aggregation, or forget one. Clients may run meanwhile.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("list", help="who was met, with which key (this is done without a command, too)")
    forgetting = commands.add_parser("forget", help="have a client met anew, after its site has a new key")
    forgetting.add_argument("name", metavar="NAME", help="the other client's name")
    return parser


if __name__ == "__main__":
    run(main)
