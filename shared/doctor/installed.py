"""What is installed: Python and the packages, without which nothing else can be looked at.

Imports nothing that needs them.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping

from shared import packages
from shared.finding import Finding, ok, problem

OF_ANY_CLIENT = ("flwr", "grpcio", "cryptography")


def python() -> Finding:
    """Which Python this is. One that is too old cannot start this command; `./start.sh doctor` finds it."""
    return ok("python", f"{platform.python_version()} ({sys.executable})")


def of_any_client() -> Finding:
    """Whether what every client needs can be imported."""
    return _found("packages", [name for name in packages.OF_CLIENTS if name in OF_ANY_CLIENT])


def of_servers() -> Finding:
    """Whether all that a server needs can be imported."""
    needed = {**packages.OF_CLIENTS, **packages.OF_SERVERS}
    return _of(needed)


def of_the_built_in_app() -> Finding:
    """Whether what the built-in app needs besides can be imported."""
    return _found("pytorch", [name for name in packages.OF_CLIENTS if name not in OF_ANY_CLIENT])


def _found(check: str, names: list[str]) -> Finding:
    return _of({name: packages.OF_CLIENTS[name] for name in names}, check)


def _of(needed: Mapping[str, str], check: str = "packages") -> Finding:
    if broken := packages.broken(needed):
        return problem(
            check,
            "; ".join(broken) + ".",
            "Install what is in requirements.txt, or use ./start.sh, which makes an environment that has it.",
        )
    return ok(check, packages.versions(needed))
