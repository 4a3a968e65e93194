"""Flower apps for tests: the ones in `tests/apps`, which run under Flower itself, and small ones made up."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

APPS = Path(__file__).resolve().parents[1] / "apps"

PYPROJECT = """
[project]
name = "{name}"
version = "{version}"
dependencies = ["flwr>=1.41.0", "numpy"]

[tool.flwr.app]
publisher = "tests"
{more}

[tool.flwr.app.components]
serverapp = "{package}.server_app:app"
clientapp = "{package}.client_app:app"

[tool.flwr.app.config]
{config}
"""

SERVER_APP = "from flwr.serverapp import ServerApp\n\napp = ServerApp()\n"
CLIENT_APP = "from flwr.clientapp import ClientApp\n\napp = ClientApp()\n"


def copy_of(name: str, folder: Path) -> Path:
    """A copy of one of the apps in `tests/apps`, as another machine has it."""
    return Path(shutil.copytree(APPS / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")))


def write_app(
    folder: Path,
    package: str,
    *,
    name: str = "made-up",
    version: str = "1.0.0",
    config: str = "num-server-rounds = 3",
    more: str = "",
    server_app: str = SERVER_APP,
    client_app: str = CLIENT_APP,
) -> Path:
    """An app of one package; `more` are further lines of [tool.flwr.app]. Returns the folder."""
    (folder / package).mkdir(parents=True)
    pyproject = PYPROJECT.format(name=name, version=version, package=package, config=config, more=more)
    (folder / "pyproject.toml").write_text(pyproject, encoding="utf-8")
    (folder / package / "__init__.py").write_text("", encoding="utf-8")
    (folder / package / "server_app.py").write_text(server_app, encoding="utf-8")
    (folder / package / "client_app.py").write_text(client_app, encoding="utf-8")
    return folder


def plain_parts(task: str) -> tuple[str, str, str]:
    """The plain shape of `tests/apps/shapes`, cut in its server's end, its client's, and what both import."""
    shape = (APPS / "shapes/shapes/plain.py").read_text(encoding="utf-8").replace("shapes.task", task)
    server = shape.replace("client_app = plain_client_app()\n", "")
    server = server.replace("import initial_arrays, plain_client_app", "import initial_arrays")
    client = f"from {task} import plain_client_app\n\nclient_app = plain_client_app()\n"
    return server, client, (APPS / "shapes/shapes/task.py").read_text(encoding="utf-8")


def write_parts(folder: Path, parts: Mapping[str, str], *, serverapp: str, clientapp: str) -> Path:
    """An app of these files, by their paths, with its ends where they are said to be. Returns the folder."""
    write_app(folder, "unused")
    shutil.rmtree(folder / "unused")
    project = folder / "pyproject.toml"
    text = project.read_text(encoding="utf-8").replace("unused.server_app:app", serverapp)
    project.write_text(text.replace("unused.client_app:app", clientapp), encoding="utf-8")
    for path, content in parts.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return folder
