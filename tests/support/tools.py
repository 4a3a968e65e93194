"""Programs that a test needs and that may be absent."""

from __future__ import annotations

import os
import shutil

import pytest


def require(tool: str, *, why: str) -> str:
    """The path of a program; without it the test is skipped, or fails with `FEDLOOM_REQUIRE_ALL=1`."""
    path = shutil.which(tool)
    if path is not None:
        return path
    reason = f"needs {tool}: {why}"
    if os.environ.get("FEDLOOM_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
