"""What is started for a run whose clients are simulated on this machine."""

from __future__ import annotations

import importlib.util
import os
import secrets
from pathlib import Path

from app.federation.engines.process_engine import Program
from shared.errors import SettingsInvalid
from shared.run_spec import RunSpec

CLIENT_APP = "client.client_app:app"

PRIVATE = {"RAY_ADDRESS": "local", "RAY_AUTH_MODE": "token", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""A Ray of its own, whatever the environment says. Whoever reaches Ray's ports could have it run code: so it
asks for a token, each run's own. By the last it listens on loopback, on Linux too; without, it takes another
address of the machine even where it is told 127.0.0.1."""

LONGEST_FOLDER = 39
"""Characters: a socket's path may have 107, on macOS 103, and Ray puts up to 64 behind its folder."""

MISSING = (
    "The simulation engine needs Ray, which is not installed here. Install it: "
    "pip install -r requirements-simulation.txt; for a container make an image with it, as "
    "docs/containers.md says"
)


def check(spec: RunSpec) -> None:
    """Raise SettingsInvalid where this machine cannot simulate the clients of a run."""
    if importlib.util.find_spec("ray") is None:
        raise SettingsInvalid(MISSING, "engine")
    cpus = os.cpu_count() or 1
    if spec.simulated_client_cpus > cpus:
        raise SettingsInvalid(
            f"No client could ever work: each is to have {spec.simulated_client_cpus:g} CPUs, and there are "
            f"{cpus} here.",
            "simulated_client_cpus",
        )


def program(spec: RunSpec, data_dir: Path) -> Program:
    """Raises SettingsInvalid as `check` does."""
    check(spec)
    return Program(
        name="Flower's simulation engine",
        what="Flower's simulation engine to start",
        module="app.federation.engines.simulation.process",
        begin={
            "run_config": spec.to_run_config(),
            "client_app": CLIENT_APP,
            "clients": spec.simulated_clients,
            "cpus": spec.simulated_client_cpus,
            "all_cpus": os.cpu_count() or 1,
        },
        longest_folder=LONGEST_FOLDER,
        env={
            "FEDLOOM_DATA_DIR": str(data_dir.absolute()),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
            **PRIVATE,
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
        },
    )
