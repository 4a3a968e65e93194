"""Imports a Flower app's ServerApp or ClientApp from its folder.

Every call imports the app's modules anew, so that what a run leaves in them does not pass on to the next one;
under Flower each run has a process of its own. Only the files that both ends have compared are used.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import TypeVar

from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp

from shared.error_text import error_text
from shared.errors import AppInvalid
from shared.flower_app import PROJECT_FILE, FlowerApp, read_app

T = TypeVar("T")

OWN_NAMES = frozenset({"app", "client", "shared"})
"""FedLoom's own top-level packages."""


def load_server_app(app: FlowerApp) -> ServerApp:
    """The app's ServerApp, freshly imported. Raises AppInvalid, in words, when that is not possible."""
    return _load(app, "serverapp", app.serverapp, ServerApp)


def load_client_app(app: FlowerApp) -> ClientApp:
    """The app's ClientApp, freshly imported. Raises AppInvalid, in words, when that is not possible."""
    return _load(app, "clientapp", app.clientapp, ClientApp)


def _load(app: FlowerApp, component: str, reference: str, wanted: type[T]) -> T:
    _refuse_changes(app)
    names = _top_level_names(app)
    _refuse_taken_names(app, names)
    for name in [name for name in sys.modules if name.partition(".")[0] in names]:
        del sys.modules[name]
    _put_first_on_path(app.folder)
    module_name, _, attribute = reference.partition(":")
    before = set(sys.modules)
    found: object = _import(app, component, module_name, names)
    _refuse_other_files(app, sys.modules.keys() - before)
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, wanted):
        raise AppInvalid(
            f"The Flower app {app.name} names {reference} as its {component}, but "
            f"{module_name} has no {wanted.__name__} called {attribute}. Mend {app.folder / PROJECT_FILE} "
            "or the module."
        )
    return found


def _import(app: FlowerApp, component: str, module: str, names: Iterable[str]) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        top = missing.partition(".")[0]
        if top == module.partition(".")[0] or top in names:
            raise AppInvalid(
                f"The Flower app {app.name} needs its own module {missing} (its {component} is in {module}), "
                f"but there is none in {app.folder}."
            ) from error
        asks_for = f" The app asks for {', '.join(app.dependencies)}." if app.dependencies else ""
        raise AppInvalid(
            f"The Flower app {app.name} needs the Python package {missing}, which is not installed here. "
            f"Install it, for example with pip install {top}.{asks_for}"
        ) from error
    except KeyboardInterrupt:  # by the person, most likely: a process that starts imports its app
        raise
    except BaseException as error:  # whatever code of the app may raise
        raise AppInvalid(
            f"The module {module} of the Flower app {app.name} cannot be imported: "
            f"{error_text(error)}{_place(app, error)}."
        ) from error


def _top_level_names(app: FlowerApp) -> set[str]:
    """The names under which code of the app can be imported."""
    modules = [PurePosixPath(path) for path in app.files if path.endswith(".py")]
    names = {path.parts[0] if len(path.parts) > 1 else path.stem for path in modules}
    return {name for name in names if name.isidentifier()}


def _refuse_changes(app: FlowerApp) -> None:
    """What would be imported must be what the other end was told of."""
    now = read_app(app.folder).files
    changed = [path for path, digest in app.files.items() if now.get(path) != digest]
    changed += [path for path in now.keys() - app.files.keys() if path.endswith(".py")]
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise AppInvalid(
            f"Files of the Flower app {app.name} have changed since it was read: {changed[0]}{more}. "
            "Start the server and all clients again, with the same files."
        )


def _refuse_taken_names(app: FlowerApp, names: Iterable[str]) -> None:
    """Python knows one module of a name: the app would get the other one."""
    for name in sorted(names):
        module = sys.modules.get(name)
        if name in OWN_NAMES or (module is not None and not _lies_in(app.folder, module)):
            whose = "FedLoom itself has" if name in OWN_NAMES else "is loaded already from elsewhere"
            raise AppInvalid(
                f"The Flower app {app.name} has a module {name!r}, a name that {whose}. Put the app's code "
                f"into a package with a name of its own, for example {app.name.replace('-', '_')}/, and "
                f"change its imports and [tool.flwr.app.components] in {app.folder / PROJECT_FILE}."
            )


def _lies_in(folder: Path, module: ModuleType) -> bool:
    places = [file] if (file := getattr(module, "__file__", None)) else list(getattr(module, "__path__", []))
    return any(Path(place).resolve().is_relative_to(folder) for place in places)


def _put_first_on_path(folder: Path) -> None:
    """Stays there: the app may import more while it runs."""
    sys.path[:] = [str(folder), *(place for place in sys.path if place != str(folder))]
    importlib.invalidate_caches()


def _refuse_other_files(app: FlowerApp, modules: Iterable[str]) -> None:
    """A module in the folder that Flower would not bundle: nobody has compared it."""
    for name in sorted(modules):
        file = Path(getattr(sys.modules.get(name), "__file__", None) or "/")
        if not file.is_relative_to(app.folder) or "site-packages" in file.parts:
            continue
        path = file.relative_to(app.folder).as_posix()
        if path not in app.files:
            raise AppInvalid(
                f"The Flower app {app.name} imports {path}, which is not among the files that Flower would "
                "bundle and that both ends compare: .gitignore or fab-exclude leaves it out, or its name "
                "(test_*.py). Rename it, or let it be bundled."
            )


def _place(app: FlowerApp, error: BaseException) -> str:
    """Where in the app an error was raised."""
    inside = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(app.folder)
    ]
    if not inside:
        return ""
    return f" ({Path(inside[-1].filename).relative_to(app.folder).as_posix()}, line {inside[-1].lineno})"
