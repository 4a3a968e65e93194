"""Imports a Flower app's ServerApp or ClientApp from its folder, or says in words why that cannot be.

Modules are found as Python finds them: what was imported before goes before the app's, and the app's before
what is installed. Only the package or module that the component itself is in is always the app's.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Self

from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp

from .error_text import error_text
from .forks import only_here

PROJECT_FILE = "pyproject.toml"


class Unusable(Exception):
    """The app cannot be loaded; says so in words."""


@dataclass(frozen=True)
class Component:
    """What to load."""

    role: str
    """`server` or `client`."""
    reference: str
    """`module:attribute`."""
    name: str
    """The app's."""
    folder: Path
    """Where the app runs: absolute, without links."""
    source: Path
    """Where it is a copy of, which people know; or the same."""
    files: frozenset[str]
    """What Flower would bundle, and both ends have compared: paths in the folder, with slashes."""
    dependencies: tuple[str, ...]
    """What the app asks for, in pip's notation."""

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        """From the header of FedLoom's `load`."""
        return cls(
            role=fields["role"],
            reference=fields["reference"],
            name=fields["name"],
            folder=Path(fields["folder"]),
            source=Path(fields["source"]),
            files=frozenset(fields["files"]),
            dependencies=tuple(fields["dependencies"]),
        )

    @property
    def kind(self) -> type[ServerApp] | type[ClientApp]:
        """What it must be."""
        return ServerApp if self.role == "server" else ClientApp

    @property
    def key(self) -> str:
        """What `pyproject.toml` calls it."""
        return f"{self.role}app"


def load(component: Component) -> ServerApp | ClientApp:
    """Import the app. Raises Unusable."""
    sys.path[:] = [str(component.folder), *(place for place in sys.path if place != str(component.folder))]
    importlib.invalidate_caches()
    module_name, _, attribute = component.reference.partition(":")
    _make_way(component, module_name.partition(".")[0])
    before = set(sys.modules)
    found: object = _import(component, module_name)
    _refuse_other_files(component, sys.modules.keys() - before)
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, ServerApp | ClientApp) or not isinstance(found, component.kind):
        raise Unusable(
            f"The Flower app {component.name} names {component.reference} as its {component.key}, but "
            f"{module_name} has no {component.kind.__name__} called {attribute}. "
            f"Mend {component.source / PROJECT_FILE} or the module."
        )
    return found


def _make_way(component: Component, top: str) -> None:
    """Forget another module of the name that the component's own has. Whoever has imported it keeps it."""
    module = sys.modules.get(top)
    if module is not None and not _lies_in(component.folder, module):
        for name in [name for name in sys.modules if name.partition(".")[0] == top]:
            del sys.modules[name]


def _import(component: Component, module: str) -> ModuleType:
    try:
        with only_here():
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise Unusable(_what_is_missing(component, module, error.name or module)) from error
    except BaseException as error:  # whatever code of the app may raise
        raise Unusable(
            f"The module {module} of the Flower app {component.name} cannot be imported: "
            f"{error_text(error)}{_place(component, error)}."
        ) from error


def _what_is_missing(component: Component, module: str, missing: str) -> str:
    """What to say of a module that is not found."""
    top = missing.partition(".")[0]
    if (path := _file_in(component.source, missing)) is not None and path not in component.files:
        return _left_out(component, path)
    if top == module.partition(".")[0] or _is_own(component, top):
        return (
            f"The Flower app {component.name} needs its own module {missing} (its {component.key} is in "
            f"{module}), but there is none in {component.source}."
        )
    asks_for = f" The app asks for {', '.join(component.dependencies)}." if component.dependencies else ""
    if missing != top and _is_there(top):
        return (
            f"The Flower app {component.name} needs the Python module {missing}. The package {top} is "
            f"installed here, but has no such module: perhaps the app needs another version of it, or the "
            f"name is misspelt.{asks_for}"
        )
    return (
        f"The Flower app {component.name} needs the Python package {missing}, which is not installed here. "
        f"Install it, for example with pip install {top}.{asks_for}"
    )


def _is_there(top: str) -> bool:
    try:
        return top in sys.modules or importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def _is_own(component: Component, top: str) -> bool:
    """Whether code of the app can be imported under this name."""
    return any(path == f"{top}.py" or path.startswith(f"{top}/") for path in component.files)


def _file_in(folder: Path, module: str) -> str | None:
    """The file of a module that would be imported from a folder, as a path in that."""
    path = Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if (folder / candidate).is_file():
            return candidate.as_posix()
    return None


def _lies_in(folder: Path, module: ModuleType) -> bool:
    places = [file] if (file := getattr(module, "__file__", None)) else list(getattr(module, "__path__", []))
    return any(Path(place).resolve().is_relative_to(folder) for place in places)


def _refuse_other_files(component: Component, modules: set[str]) -> None:
    """A module in the folder that Flower would not bundle: nobody has compared it."""
    for name in sorted(modules):
        file = Path(getattr(sys.modules.get(name), "__file__", None) or "/")
        if not file.is_relative_to(component.folder) or "site-packages" in file.parts:
            continue
        path = file.relative_to(component.folder).as_posix()
        if path not in component.files:
            raise Unusable(_left_out(component, path))


def _left_out(component: Component, path: str) -> str:
    return (
        f"The Flower app {component.name} imports {path}, which is not among the files that Flower would "
        "bundle and that both ends compare: .gitignore or fab-exclude leaves it out, or its name "
        "(test_*.py). Rename it, or let it be bundled."
    )


def _place(component: Component, error: BaseException) -> str:
    """Where in the app an error was raised."""
    inside = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(component.folder)
    ]
    if not inside:
        return ""
    return (
        f" ({Path(inside[-1].filename).relative_to(component.folder).as_posix()}, line {inside[-1].lineno})"
    )
