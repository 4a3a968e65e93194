"""The command line of `python -m app.doctor`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

from shared.command import run
from shared.doctor import installed
from shared.doctor.report import report
from shared.finding import Finding


def main(argv: Sequence[str] | None = None) -> int:
    """Check, print a line for each finding; the exit code: 0, or 1 when there is a problem."""
    warnings.simplefilter("ignore")  # of libraries, for whoever develops
    return report(findings(argv), sound="A server can run here.", broken="A server cannot run here")


def findings(argv: Sequence[str] | None) -> Iterator[Finding]:
    """What is found, one check after the other."""
    yield installed.python()
    packages = installed.of_servers()
    yield packages
    if packages.is_problem:
        return
    from app.doctor.server import of  # only now: it needs those packages
    from app.settings import parse

    yield from of(parse(None if argv is None else list(argv)))


if __name__ == "__main__":
    run(main)
