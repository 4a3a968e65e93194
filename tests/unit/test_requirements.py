"""pyproject.toml requires what is imported, and nothing else; the locks hold all of it."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import MappingProxyType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PROJECT["tool"]["setuptools"]["packages"]
DISTRIBUTIONS = importlib.metadata.packages_distributions()

NOT_IMPORTED = MappingProxyType(
    {
        "flask-openapi3-redoc": "flask-openapi3 finds it by name, for the page of the API",
        "simple-websocket": "python-engineio finds it by name, for WebSockets with --async-mode threading",
    }
)
"""Requirements at run time that others import by name, and what for."""

OF_AN_EXTRA = {"ray"}
"""Imported by the process of a simulation alone; requirements-simulation.txt brings it."""

PART_OF = MappingProxyType({"pydantic-core": "pydantic", "python-engineio": "python-socketio"})
"""What another requirement brings and documents as a part of itself."""

OF_DEVELOPERS = frozenset({"shared/proto/generate.py"})
"""Commands in the packages that only those run who change them."""


def _named(requirements: Iterable[str]) -> set[str]:
    """The names in requirements such as `psycopg[binary]~=3.3`."""
    return {_canonical(re.split(r"[^\w.-]", requirement, maxsplit=1)[0]) for requirement in requirements}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


OF_OTHER_APPS = frozenset({"apps", "stand_ins"})
"""Folders of tests in which what is required is other Flower apps' business."""

RUN_TIME = _named(PROJECT["project"]["dependencies"])
DEVELOPMENT = _named(PROJECT["project"]["optional-dependencies"]["dev"])


def _imported(files: Iterable[Path]) -> set[str]:
    """The distributions from which these files import."""
    names: set[str] = set()
    for path in files:
        names |= set(_modules(ast.parse(path.read_text(encoding="utf-8"))))
    ours = {path.name.removesuffix(".py") for path in ROOT.iterdir()}
    foreign = names - sys.stdlib_module_names - ours - {"_typeshed"}
    distributions = {_canonical(DISTRIBUTIONS[module][0]) for module in foreign}
    return {PART_OF.get(name, name) for name in distributions}


def _run_time_files() -> Iterator[Path]:
    for package in PACKAGES:
        for path in (ROOT / package.replace(".", "/")).glob("*.py"):
            if str(path.relative_to(ROOT)) not in OF_DEVELOPERS:
                yield path


def _development_files() -> Iterator[Path]:
    yield from (ROOT / "bench").rglob("*.py")
    yield from (ROOT / name for name in OF_DEVELOPERS)
    for path in (ROOT / "tests").rglob("*.py"):
        if OF_OTHER_APPS.isdisjoint(path.relative_to(ROOT).parts):
            yield path


def _modules(tree: ast.AST) -> Iterator[str]:
    """The top level of each module that is imported, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            yield node.module.partition(".")[0]


def test_the_packages_that_are_listed_are_those_that_there_are() -> None:
    tops = {name.partition(".")[0] for name in PACKAGES}
    markers = [
        marker
        for top in tops
        for marker in (ROOT / top).rglob("__init__.py")
        if "node_modules" not in marker.parts
    ]

    assert sorted(PACKAGES) == sorted(".".join(marker.relative_to(ROOT).parent.parts) for marker in markers)


def test_what_is_imported_at_run_time_is_required() -> None:
    assert _imported(_run_time_files()) - RUN_TIME == OF_AN_EXTRA


def test_what_is_required_at_run_time_is_imported_or_found_by_name() -> None:
    assert RUN_TIME - _imported(_run_time_files()) == NOT_IMPORTED.keys()


def test_what_tests_and_benchmarks_import_is_required_for_development() -> None:
    assert _imported(_development_files()) - RUN_TIME - DEVELOPMENT == set()


def test_nothing_is_required_twice() -> None:
    again = {"flwr", "python-socketio"}  # with extras that only development needs
    assert again == RUN_TIME & DEVELOPMENT


@pytest.mark.parametrize(
    ("lock", "required"),
    [
        ("requirements.txt", RUN_TIME),
        ("requirements-simulation.txt", RUN_TIME),
        ("requirements-dev.txt", RUN_TIME | DEVELOPMENT),
    ],
)
def test_the_lock_pins_all_that_is_required(lock: str, required: set[str]) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    pinned = _named(re.findall(r"^[\w.-]+==", text, flags=re.MULTILINE))
    pins = re.findall(r"^([\w.-]+)==.*\n((?:    #.*\n)*)", text, flags=re.MULTILINE)
    direct = _named(name for name, reasons in pins if "fedloom (pyproject.toml)" in reasons)

    assert required <= pinned
    assert direct == required, "compile it anew, as CONTRIBUTING says"


def test_what_the_program_does_not_need_is_not_in_its_lock() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")

    assert not re.search(r"^(pytest|mypy|ruff)==", text, flags=re.MULTILINE)
