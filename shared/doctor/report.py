"""What a doctor has found, line by line and in a sentence."""

from __future__ import annotations

from collections.abc import Iterable

from shared.finding import Finding


def report(findings: Iterable[Finding], *, sound: str, broken: str) -> int:
    """Print a line for each as it is found, and `sound`, or `broken` with the number of problems.

    Returns the exit code: 0, or 1 when there is a problem.
    """
    problems = 0
    for found in findings:
        print(found, flush=True)
        problems += found.is_problem
    if problems:
        print(f"{broken}: {problems} problem{'' if problems == 1 else 's'}, see above.")
        return 1
    print(sound)
    return 0
