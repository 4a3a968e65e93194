"""The command line of `python -m client.doctor`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from shared.command import run
from shared.doctor import installed
from shared.doctor.report import report
from shared.finding import Finding


def main(argv: Sequence[str] | None = None) -> int:
    """Check, print a line for each finding; the exit code: 0, or 1 when there is a problem."""
    return report(
        findings(argv),
        sound="This machine can join, if the server admits the client's key, which only joining shows.",
        broken="This machine cannot join",
    )


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
    from client.doctor import network, site
    from shared import paths
    from shared.doctor import machine

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
