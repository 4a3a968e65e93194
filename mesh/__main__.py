"""The command line of `python -m mesh`: a node by itself, and commands for one that runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mesh.commands.table import COMMANDS
from shared.command import ends_in_words, run


@ends_in_words
def main(argv: Sequence[str] | None = None) -> int:
    """Do what is asked, return the exit code: 0, or 1 with a message."""
    arguments = build_parser().parse_args(argv)
    code: int = arguments.carry_out(arguments)
    return code


def build_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        prog="python -m mesh",
        description="Nodes that know each other by their keys, and need no server. A node keeps its files in "
        "FEDLOOM_HOME, and commands find it there.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        added = commands.add_parser(command.name, help=command.help, description=_sentence(command.help))
        added.add_argument("--name", help="which node of this folder it is (the only one)")
        command.add_flags(added)
        added.set_defaults(carry_out=command.carry_out)
    return parser


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


if __name__ == "__main__":
    run(main)
