"""No process of FedLoom reports to anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = (
    "app.cli",
    "app.demo.cli",
    "client.main",
    "client.built_in_app",
    "client.hosted_app",
    "app.server",
    "app.federation.rounds.server_app",
    "client.client_app",
)


@pytest.mark.parametrize("entry", ENTRIES)
def test_flower_is_told_to_send_no_telemetry(entry: str) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("FLWR_")}
    code = f"import {entry}; from flwr.supercore import telemetry; print(telemetry.FLWR_TELEMETRY_ENABLED)"

    seen = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )

    assert seen.stdout.strip() == "0"
