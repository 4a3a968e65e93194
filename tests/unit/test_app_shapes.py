"""The small apps in `tests/apps/shapes`: each is a Flower app, is described, and is run."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator

import pytest
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp

from tests.integration import test_flower_shapes
from tests.support.apps import APPS

FOLDER = APPS / "shapes"
NO_SHAPES = {"__init__", "by_name", "task"}
NAMES = sorted({file.stem for file in (FOLDER / "shapes").glob("*.py")} - NO_SHAPES)
CHANGES_ITS_PROCESS = {"chatty"}
"""Its import takes the logging over."""


@pytest.fixture
def shapes_on_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package `shapes` can be imported, and is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "shapes"]:
        del sys.modules[name]


@pytest.mark.usefixtures("shapes_on_path")
@pytest.mark.parametrize("name", [name for name in NAMES if name not in CHANGES_ITS_PROCESS])
def test_a_shape_has_both_ends_of_an_app_and_says_what_it_is(name: str) -> None:
    module = importlib.import_module(f"shapes.{name}")

    assert isinstance(module.server_app, ServerApp)
    assert isinstance(module.client_app, ClientApp)
    assert module.__doc__


def test_each_shape_is_in_the_table() -> None:
    table = (FOLDER / "README.md").read_text(encoding="utf-8")

    listed = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]

    assert sorted(listed) == NAMES


def test_each_shape_is_run() -> None:
    run = {name.partition(" ")[0] for name in test_flower_shapes.SHAPES}

    assert run | {"orphans"} == set(NAMES)
