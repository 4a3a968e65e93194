"""Checkouts: fresh ones, one that was used before, and machines with no Python to speak of."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import Checkout, StartCheckout, kill_family
from tests.support.wheels import Index


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a checkout")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout that was used before; tests leave its environment as it is."""
    checkout = Checkout(tmp_path_factory.mktemp("start") / "used checkout")
    result = checkout.run("demo")
    assert result.returncode == 0, result
    return checkout


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Where pip looks by itself: it has a PyTorch that needs much besides."""
    index = Index(tmp_path_factory.mktemp("index") / "index")
    index.add("tiny", "1.0")
    index.add("nvidia-cublas", "9.0")
    index.add("cuda-toolkit", "9.0")
    index.add("torch", "2.0", "nvidia-cublas==9.0")
    index.add("torchvision", "1.0", "torch==2.0")
    return index


@pytest.fixture(scope="module")
def only(index: Index) -> dict[str, Any]:
    """An environment in which pip knows that index alone, and uv is not here."""
    folders = os.environ["PATH"].split(os.pathsep)
    path = os.pathsep.join(folder for folder in folders if not (Path(folder) / "uv").exists())
    told = {name: "" for name in os.environ if name.startswith(("PIP_", "UV_"))}
    return {
        **told,
        "PATH": path,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": index.url,
        "PIP_NO_CACHE_DIR": "1",
    }


@pytest.fixture
def used(checkout: Checkout, installed: Checkout) -> Checkout:
    """A checkout of the test's own that was used before, with nothing required."""
    shutil.copytree(installed.venv, checkout.venv, symlinks=True)
    return checkout


@pytest.fixture
def start() -> Iterator[StartCheckout]:
    """Starts start.sh in a session of its own and does not wait."""
    with ExitStack() as ending:

        def begin(checkout: Checkout, *arguments: str, **environment: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                checkout.command(*arguments),
                cwd=checkout.folder,
                env=checkout.environment(**environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            ending.callback(_end, process)
            return process

        yield begin


def _end(process: subprocess.Popen[str]) -> None:
    with process:  # waits for it, and closes its output
        kill_family(process)


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A folder for PATH with the tools that start.sh uses, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in (
        "bash",
        "cat",
        "cksum",
        "dirname",
        "grep",
        "ls",
        "mkdir",
        "rm",
        "mv",
        "find",
        "tr",
        "uname",
        "df",
        "awk",
        "getconf",
    ):
        found = shutil.which(tool)
        assert found is not None, tool
        (folder / tool).symlink_to(found)
    return folder
