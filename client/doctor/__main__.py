"""The command line of `python -m client.doctor`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from client.doctor import installed
from client.doctor.finding import Finding
from shared.command import run


def main(argv: Sequence[str] | None = None) -> int:
    """Check, print a line for each finding; the exit code: 0, or 1 when there is a problem."""
    problems = 0
    for found in findings(argv):
        print(found, flush=True)
        problems += found.is_problem
    if problems:
        print(f"This machine cannot join: {problems} problem{'' if problems == 1 else 's'}, see above.")
        return 1
    print("This machine can join, if the server admits the client's key, which only joining shows.")
    return 0


def findings(argv: Sequence[str] | None) -> Iterator[Finding]:
    """What is found, one check after the other."""
    packages = installed.of_any_client()
    if packages.is_problem:
        yield from (installed.python(), packages)
        return
    from client.cli import build_parser  # only now: it needs those packages

    arguments = build_parser(
        "python -m client.doctor",
        "Say whether this machine can join a FedLoom server, and what is wrong. Takes the flags of "
        "run_client.py, joins nothing and changes nothing.",
        needs_id=False,
    ).parse_args(argv)
    yield from (installed.python(), packages)
    yield from _of(arguments)


def _of(arguments: argparse.Namespace) -> Iterator[Finding]:
    from client.doctor import machine, network, site
    from shared import paths

    home = paths.home_dir()
    yield from machine.home(home)
    yield machine.key(home, arguments.client_id)
    found, way = site.way_in(arguments, home)
    yield found
    found, policy = site.policy(home, arguments.policy, arguments.privacy_budget)
    yield found
    if arguments.app is not None:
        yield site.app(arguments.app, policy)
    else:
        yield from site.built_in_app(arguments, home, policy)
    if way is not None:
        yield from network.of(way)


if __name__ == "__main__":
    run(main)
