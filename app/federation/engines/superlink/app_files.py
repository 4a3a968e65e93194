"""The Flower app that FedLoom submits to a SuperLink: its SuperNodes get their ClientApp from there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from flwr.app import UserConfig

from shared.errors import AppInvalid
from shared.version import __version__

PACKAGES = ("client", "dashboard", "mesh", "shared")
"""What the ClientApp may import of FedLoom."""

SERVER_APP = '''"""Stands for the ServerApp of a run that FedLoom carries out itself."""

from flwr.app import Context
from flwr.serverapp import Grid, ServerApp

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    raise RuntimeError(
        "FedLoom carries out the ServerApp of this run, and this SuperLink has started it by itself. "
        "Start the SuperLink with --isolation process."
    )
'''

PROJECT = """[project]
name = "fedloom"
version = {version}
description = "A run of FedLoom"
license = "Apache-2.0"
dependencies = []

[tool.flwr.app]
publisher = "fedloom"

[tool.flwr.app.components]
serverapp = "fedloom_server_app:app"
clientapp = {client_app}

[tool.flwr.app.config]
{config}
"""


def app_files(root: Path, client_app: str, run_config: UserConfig) -> Mapping[str, bytes]:
    """By path. `root`: where FedLoom's packages are; `client_app`: as `module:attribute`. Raises AppInvalid
    where one is not there, as in an installation of the server alone."""
    # What JSON makes of a text, a number or a boolean is TOML as well
    config = "\n".join(f"{key} = {json.dumps(value)}" for key, value in run_config.items())
    project = PROJECT.format(
        version=json.dumps(__version__), client_app=json.dumps(client_app), config=config
    )
    own = {"pyproject.toml": project.encode(), "fedloom_server_app.py": SERVER_APP.encode()}
    sources = [path for package in PACKAGES for path in _sources_of(root / package)]
    return own | {path.relative_to(root).as_posix(): path.read_bytes() for path in sources}


def _sources_of(package: Path) -> list[Path]:
    if not (sources := sorted(package.rglob("*.py"))):
        raise AppInvalid(
            f"SuperNodes need FedLoom's ClientApp, and {package} is not in this installation of the server. "
            "Install FedLoom whole, with its client."
        )
    return sources
