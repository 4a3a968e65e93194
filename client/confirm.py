"""`python -m client.confirm RUN`: confirms a run that a client of this folder was asked to take part in.

For sites whose client.toml says `confirm = true`. Without RUN it lists what waits to be confirmed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from client.site.confirmations import Confirmations
from shared import paths
from shared.command import ends_in_words, run


@ends_in_words
def main(argv: Sequence[str] | None = None) -> int:
    """Answer or list, return the exit code: 0, or 1 with a message."""
    arguments = build_parser().parse_args(argv)
    if arguments.run is None:
        return _list()
    return _answer(arguments.run, yes=not arguments.decline)


def _list() -> int:
    waiting = Confirmations(paths.home_dir()).unanswered()
    for request in waiting:
        print(request.words)
    if not waiting:
        print(f"Nothing waits to be confirmed in {paths.home_dir().absolute()}.")
    return 0


def _answer(run: str, *, yes: bool) -> int:
    answered = Confirmations(paths.home_dir()).answer(run, yes=yes)
    for request in answered:
        print(f"{'Confirmed' if yes else 'Declined'}: {request.words}")
    if answered:
        return 0
    print(
        f"error: No client with its files in {paths.home_dir().absolute()} was asked to take part in a run "
        f"{run!r}. Without RUN this command lists what waits; FEDLOOM_HOME names another folder.",
        file=sys.stderr,
    )
    return 1


def build_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        prog="python -m client.confirm",
        description="Confirm a run that the clients of this folder (FEDLOOM_HOME) were asked to join. "
        "Without RUN: list what waits.",
    )
    parser.add_argument("run", nargs="?", metavar="RUN", help="the run's id, as the client says it")
    parser.add_argument("--decline", action="store_true", help="take no part in it")
    return parser


if __name__ == "__main__":
    run(main)
