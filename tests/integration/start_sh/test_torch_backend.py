"""FEDLOOM_TORCH_BACKEND: uv knows where each build of PyTorch is; start.sh finds or installs a uv to ask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import Checkout
from tests.support.pytorch_index import PytorchIndex
from tests.support.tools import require
from tests.support.wheels import PYTORCH_AND_MORE, Index

OLD_UV = "#!/bin/sh\necho 'what uv could do once: --torch, --backend'\nexit 3\n"
PINNED_UV_AND_MORE = f"{PYTORCH_AND_MORE}uv==0.12.24\n    # via flwr\n"
DEAD = "http://127.0.0.1:9"


def _index_of(folder: Path, backend: str) -> Index:
    index = Index(folder / backend)
    index.add("torch", f"2.0+{backend}")
    index.add("torchvision", f"1.0+{backend}", "torch==2.0")
    return index


@pytest.fixture
def pytorch(tmp_path: Path) -> Iterator[PytorchIndex]:
    backends = {name: _index_of(tmp_path / "indexes", name) for name in ("cpu", "cu130")}
    with PytorchIndex(backends, tmp_path / "certificates") as index:
        yield index


@pytest.fixture
def uv() -> str:
    return require("uv", why="it knows where PyTorch is")


@pytest.fixture
def index_with_uv(index: Index, uv: str) -> Index:
    index.add("uv", "0.12.24", programs={"uv": _calling(uv)})
    return index


@pytest.fixture
def here(only: dict[str, Any], pytorch: PytorchIndex, tmp_path: Path) -> dict[str, Any]:
    """`only`, where whoever goes elsewhere by HTTPS comes to `pytorch`."""
    return {**only, **pytorch.environment, "UV_CACHE_DIR": str(tmp_path / "cache"), "UV_HTTP_RETRIES": "0"}


@pytest.fixture
def with_uv(here: dict[str, Any], uv: str, tmp_path: Path) -> dict[str, Any]:
    """`here`, with uv in the path."""
    return {**here, "PATH": _before(here["PATH"], tmp_path, _calling(uv))}


def _calling(program: str) -> str:
    return f'#!/bin/sh\nexec {program} "$@"\n'


def _before(path: str, folder: Path, script: str) -> str:
    """A PATH on which a uv goes before all else."""
    tools = folder / "tools"
    tools.mkdir()
    (tools / "uv").write_text(script)
    (tools / "uv").chmod(0o755)
    return f"{tools}{os.pathsep}{path}"


def test_pytorch_comes_from_where_uv_knows_it_and_all_else_from_where_it_did(
    checkout: Checkout, pytorch: PytorchIndex, with_uv: dict[str, Any]
) -> None:
    checkout.require(PYTORCH_AND_MORE)

    result = checkout.run("demo", FEDLOOM_TORCH_BACKEND="cu130", **with_uv)

    assert result.returncode == 0, result
    assert "with PyTorch for 'cu130'" in result.stdout
    assert checkout.packages() == {
        "tiny": "1.0",
        "torch": "2.0+cu130",
        "torchvision": "1.0+cu130",
    }
    assert pytorch.asked
    assert [each for each in pytorch.asked if "/cu130/torch" not in each] == []
    assert [each for each in pytorch.asked if "pytorch" not in each.partition("/")[0]] == []
    assert "Step" not in checkout.run("demo", **with_uv).stdout, "it is complete, also without that setting"


def test_a_uv_that_is_too_old_is_passed_over_and_the_pinned_one_installed_first(
    checkout: Checkout, index_with_uv: Index, here: dict[str, Any], tmp_path: Path
) -> None:
    index_with_uv.add("uv", "0.99", programs={"uv": "#!/bin/sh\nexit 3\n"})
    checkout.require(PINNED_UV_AND_MORE)

    result = checkout.run(
        "demo", FEDLOOM_TORCH_BACKEND="cpu", **{**here, "PATH": _before(here["PATH"], tmp_path, OLD_UV)}
    )

    assert result.returncode == 0, result
    assert checkout.packages() == {
        "tiny": "1.0",
        "torch": "2.0+cpu",
        "torchvision": "1.0+cpu",
        "uv": "0.12.24",
    }


def test_an_index_that_cannot_be_reached_is_explained_and_leaves_what_works(
    checkout: Checkout, with_uv: dict[str, Any]
) -> None:
    checkout.require("tiny==1.0\n")
    assert checkout.run("demo", **with_uv).returncode == 0
    checkout.require(PYTORCH_AND_MORE)
    alone = {**with_uv, "HTTPS_PROXY": DEAD}

    failed = checkout.run("demo", FEDLOOM_TORCH_BACKEND="cpu", **alone)
    bundle = checkout.run("bundle", str(checkout.folder / "bundle"), FEDLOOM_TORCH_BACKEND="cpu", **alone)
    unknown = checkout.run("demo", FEDLOOM_TORCH_BACKEND="abacus", **alone)
    checkout.require("tiny==1.0\n")
    again = checkout.run("demo", **with_uv)

    assert (failed.returncode, bundle.returncode, unknown.returncode) == (1, 1, 1)
    for result in (failed, bundle):
        assert "/cpu/torch" in result.stderr
        assert "name a mirror of it by\nFEDLOOM_TORCH_INDEX" in result.stderr
    assert "invalid value 'abacus' for '--torch-backend" in unknown.stderr
    assert not checkout.folder.joinpath("bundle").exists()
    assert "ran run_demo.py" in again.stdout, again
    assert "Step" not in again.stdout


@pytest.mark.usefixtures("index_with_uv")
def test_a_bundle_holds_the_build_that_was_asked_for_also_where_no_uv_is(
    checkout: Checkout, here: dict[str, Any], only: dict[str, Any], tmp_path: Path
) -> None:
    checkout.require(PINNED_UV_AND_MORE)
    folder = str(tmp_path / "bundle")

    made = checkout.run("bundle", folder, FEDLOOM_TORCH_BACKEND="cpu", **here)
    refused = checkout.run("--offline", folder, "demo", FEDLOOM_TORCH_BACKEND="cpu", **only)
    result = checkout.run("--offline", folder, "demo", **{**only, "PIP_INDEX_URL": f"{DEAD}/simple"})

    assert made.returncode == 0, made
    assert refused.returncode == 1
    assert "A bundle holds one PyTorch, which was chosen when it was made" in refused.stderr
    assert result.returncode == 0, result
    assert checkout.packages()["torch"] == "2.0+cpu"
    assert "nvidia-cublas" not in checkout.packages()


@pytest.mark.parametrize("arguments", [("demo",), ("bundle", "new"), ("doctor",)])
def test_two_answers_to_which_pytorch_are_refused(checkout: Checkout, arguments: tuple[str, ...]) -> None:
    both: dict[str, Any] = {"FEDLOOM_TORCH_BACKEND": "cpu", "FEDLOOM_TORCH_INDEX": "https://example.org/cpu"}

    result = checkout.run(*arguments, **both)

    assert result.returncode == 1
    assert "both say which PyTorch to take. Unset one of them." in result.stdout + result.stderr
    assert not checkout.venv.joinpath("bin").exists()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"FEDLOOM_TORCH_BACKEND": "cpu"}, "an installation takes it by uv, for 'cpu'"),
        ({"FEDLOOM_TORCH_INDEX": "https://example.org/cpu"}, "takes it from https://example.org/cpu"),
    ],
)
def test_doctor_says_which_pytorch_would_be_installed(
    checkout: Checkout, setting: dict[str, Any], words: str
) -> None:
    assert words in checkout.run("doctor", **setting).stdout
