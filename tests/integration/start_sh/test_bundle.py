"""start.sh installs another build of PyTorch, and without a network from a bundle, which it also makes."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import TIMEOUT_S, Checkout
from tests.support.processes import ROOT
from tests.support.tools import require
from tests.support.wheels import PYTORCH_AND_MORE, Index

pytestmark = pytest.mark.timeout(2 * TIMEOUT_S)


@pytest.fixture(scope="module")
def cpu(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """An index with a PyTorch for the CPU alone."""
    index = Index(tmp_path_factory.mktemp("cpu") / "index")
    index.add("torch", "2.0+cpu")
    index.add("torchvision", "1.0+cpu", "torch==2.0")
    return index


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, cpu: Index, only: dict[str, Any]) -> Path:
    """A bundle with a PyTorch for the CPU."""
    folder = tmp_path_factory.mktemp("made")
    checkout = Checkout(folder / "checkout")
    checkout.require(PYTORCH_AND_MORE)
    result = checkout.run("bundle", str(folder / "bundle"), FEDLOOM_TORCH_INDEX=cpu.url, **only)
    assert result.returncode == 0, result
    assert not checkout.venv.exists()
    return folder / "bundle"


@pytest.fixture
def bundle(made: Path, checkout: Checkout, tmp_path: Path) -> Path:
    """A copy of it, for a checkout with its requirements."""
    checkout.require(PYTORCH_AND_MORE)
    return shutil.copytree(made, tmp_path / "a bundle")


def test_pytorch_comes_from_the_index_that_is_named_and_nothing_for_gpus(
    used: Checkout, cpu: Index, only: dict[str, Any]
) -> None:
    used.require(PYTORCH_AND_MORE)

    result = used.run("demo", FEDLOOM_TORCH_INDEX=cpu.url, **only)

    assert result.returncode == 0, result
    assert f"with PyTorch from {cpu.url}" in result.stdout
    assert "The environment takes 0." in result.stdout
    assert used.packages() == {"tiny": "1.0", "torch": "2.0+cpu", "torchvision": "1.0+cpu"}
    assert "Step" not in used.run("demo", **only).stdout, "it is complete, also without that index"


def test_without_it_all_is_installed(used: Checkout, only: dict[str, Any]) -> None:
    used.require(PYTORCH_AND_MORE)

    assert used.run("demo", **only).returncode == 0

    assert used.packages().keys() == {"tiny", "torch", "torchvision", "nvidia-cublas", "cuda-toolkit"}


def test_a_bundle_installs_without_a_network(
    checkout: Checkout, bundle: Path, tmp_path: Path, only: dict[str, Any]
) -> None:
    assert sorted(path.name for path in bundle.glob("*.whl")) == [
        "tiny-1.0-py3-none-any.whl",
        "torch-2.0+cpu-py3-none-any.whl",
        "torchvision-1.0+cpu-py3-none-any.whl",
    ]
    away = {**only, "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}

    result = checkout.run("--offline", "a bundle", "demo", "--clients", "2", cwd=tmp_path, **away)

    assert result.returncode == 0, result
    assert "without a network" in result.stdout
    assert "ran run_demo.py ['--clients', '2']" in result.stdout
    assert checkout.packages() == {"tiny": "1.0", "torch": "2.0+cpu", "torchvision": "1.0+cpu"}
    listed = (bundle / "SHA256SUMS").read_text().splitlines()
    assert len(listed) == len(list(bundle.iterdir())) - 1


def test_uv_installs_from_a_bundle_where_it_is_here(
    used: Checkout, bundle: Path, tmp_path: Path, only: dict[str, Any]
) -> None:
    uv = require("uv", why="it installs in place of pip")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "uv").symlink_to(uv)
    with_uv = {**only, "PATH": f"{tools}{os.pathsep}{only['PATH']}"}

    result = used.run("demo", FEDLOOM_WHEELS=str(bundle), UV_CACHE_DIR=str(tmp_path / "cache"), **with_uv)

    assert result.returncode == 0, result
    assert "Installed 3 packages" in (used.venv / ".fedloom-install.log").read_text()
    assert used.packages()["torch"] == "2.0+cpu"


def test_uv_is_not_asked_where_pip_was_told_of_an_index(
    used: Checkout, tmp_path: Path, only: dict[str, Any]
) -> None:
    used.require("tiny==1.0\n")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "uv").write_text("#!/bin/sh\nexit 3\n")
    (tools / "uv").chmod(stat.S_IRWXU)

    result = used.run("demo", **{**only, "PATH": f"{tools}{os.pathsep}{only['PATH']}"})

    assert result.returncode == 0, result


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ("change", "tiny-1.0-py3-none-any.whl has another checksum"),
        ("remove", "tiny-1.0-py3-none-any.whl is missing"),
        ("add", "other-1.0-py3-none-any.whl is not in the list of checksums"),
    ],
)
def test_from_a_bundle_that_is_not_as_it_was_made_nothing_is_installed(
    checkout: Checkout, bundle: Path, harm: str, words: str
) -> None:
    wheel = bundle / "tiny-1.0-py3-none-any.whl"
    match harm:
        case "change":
            wheel.write_bytes(wheel.read_bytes() + b"\0")
        case "remove":
            wheel.unlink()
        case _:
            shutil.copy(wheel, bundle / "other-1.0-py3-none-any.whl")

    result = checkout.run("--offline", str(bundle), "demo")

    assert result.returncode == 1
    assert words in result.stderr
    assert "is not as it was made" in result.stderr
    assert not checkout.venv.joinpath("bin").exists()


def test_a_bundle_of_other_requirements_is_refused(checkout: Checkout, bundle: Path) -> None:
    checkout.require("tiny==2.0\n")

    result = checkout.run("--offline", str(bundle), "demo")

    assert result.returncode == 1
    assert "is for another version of FedLoom" in result.stderr


def test_a_bundle_that_fails_leaves_nothing(checkout: Checkout, tmp_path: Path, only: dict[str, Any]) -> None:
    checkout.require("unheard-of==1.0\n")
    (tmp_path / "there").mkdir()

    result = checkout.run("bundle", str(tmp_path / "there" / "bundle"), **only)

    assert result.returncode == 1
    assert "unheard-of" in result.stderr
    assert list((tmp_path / "there").iterdir()) == []


def test_what_is_no_bundle_and_a_folder_that_is_not_empty_are_refused(
    checkout: Checkout, tmp_path: Path, only: dict[str, Any]
) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine").touch()

    offline = checkout.run("--offline", str(tmp_path / "notes"), "demo", **only)
    bundle = checkout.run("bundle", str(tmp_path / "notes"), **only)
    nowhere = checkout.run("bundle")

    assert "is no bundle: it has no list of checksums" in offline.stderr
    assert "is not empty" in bundle.stderr
    assert "Where to?" in nowhere.stderr
    assert {offline.returncode, bundle.returncode, nowhere.returncode} == {1}


def test_bash_reads_the_script_as_it_is() -> None:
    """What bash 3.2 does not have."""
    text = (ROOT / "start.sh").read_text()
    for newer in (
        "declare -A",
        "mapfile",
        "readarray",
        "|&",
        "&>>",
        "coproc",
        ",,}",
        "^^}",
        "local -n",
    ):
        assert newer not in text, newer
    assert subprocess.run(["bash", "-n", str(ROOT / "start.sh")]).returncode == 0
