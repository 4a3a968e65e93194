"""Programs that a test needs and that may be absent."""

from __future__ import annotations

import os
import shutil
import sysconfig
from typing import NoReturn

import pytest


def require(tool: str, *, why: str) -> str:
    """The path of a program, which may have come with a Python package; without it the test is given up."""
    path = shutil.which(tool) or shutil.which(tool, path=sysconfig.get_path("scripts"))
    return path if path is not None else give_up(f"needs {tool}: {why}")


def give_up(reason: str) -> NoReturn:
    """Skip the test for want of something, or with `FEDLOOM_REQUIRE_ALL=1` fail."""
    if os.environ.get("FEDLOOM_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
