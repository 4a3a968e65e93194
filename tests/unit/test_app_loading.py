"""A Flower app is imported from its folder, or it is said in words why it cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp

from shared.app_host.loading import Component, Unusable, load
from shared.app_process import what_to_load
from shared.flower_app import FlowerApp, read_app
from tests.support.apps import APPS, CLIENT_APP, write_app

NAMES = sorted(folder.name for folder in APPS.iterdir())


@pytest.fixture(autouse=True)
def _path_and_modules() -> Iterator[None]:
    """What an app leaves in this process goes with the test."""
    path, modules = sys.path.copy(), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(APPS)) or "pytest-of" in file:
            del sys.modules[name]


def load_client(app: FlowerApp) -> object:
    return load(Component.from_fields(what_to_load(app, app.folder, "client")))


def load_server(app: FlowerApp) -> object:
    return load(Component.from_fields(what_to_load(app, app.folder, "server")))


def made_up(tmp_path: Path, package: str = "pkg", **content: str) -> FlowerApp:
    return read_app(write_app(tmp_path / "app", package, **content))


def write(app: FlowerApp, path: str, text: str) -> FlowerApp:
    """The app with one file more, or with another one."""
    (app.folder / path).parent.mkdir(exist_ok=True)
    (app.folder / path).write_text(text, encoding="utf-8")
    return read_app(app.folder)


@pytest.mark.parametrize("name", NAMES)
def test_both_apps_are_found(name: str) -> None:
    app = read_app(APPS / name)

    assert isinstance(load_server(app), ServerApp)
    assert isinstance(load_client(app), ClientApp)


def test_the_folder_is_where_modules_are_looked_for_first(tmp_path: Path) -> None:
    app = made_up(
        tmp_path, client_app=CLIENT_APP + "import sys\nassert sys.path[0].endswith('app'), sys.path\n"
    )

    load_client(app)
    load_client(app)

    assert sys.path.count(str(app.folder)) == 1


def test_an_attribute_of_an_attribute_is_found(tmp_path: Path) -> None:
    app = made_up(tmp_path, client_app=CLIENT_APP + "class holder:\n    inner = app\n")
    path = app.folder / "pyproject.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("client_app:app", "client_app:holder.inner"))

    assert isinstance(load_client(read_app(app.folder)), ClientApp)


def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    app = made_up(tmp_path, client_app="import surely_not_installed.thing\n" + CLIENT_APP)

    with pytest.raises(Unusable) as caught:
        load_client(app)

    assert "needs the Python package surely_not_installed, which is not installed here" in str(caught.value)
    assert "pip install surely_not_installed." in str(caught.value)
    assert "The app asks for flwr>=1.41.0, numpy." in str(caught.value)


def test_a_module_of_its_own_that_is_missing_is_not_a_package_to_install(tmp_path: Path) -> None:
    app = made_up(tmp_path, client_app="from pkg.tasks import x\n" + CLIENT_APP)

    with pytest.raises(Unusable, match=r"needs its own module pkg\.tasks .* none in .*app\.") as caught:
        load_client(app)
    assert "pip" not in str(caught.value)


def test_a_component_that_is_missing_is_named(tmp_path: Path) -> None:
    app = made_up(tmp_path)
    (app.folder / "pkg" / "client_app.py").unlink()

    with pytest.raises(Unusable, match=r"its own module pkg\.client_app \(its clientapp"):
        load_client(read_app(app.folder))


@pytest.mark.parametrize(
    "content", ["application = 1\n", "app = 1\n", "from flwr.serverapp import ServerApp as app\n"]
)
def test_a_component_of_another_kind_is_named(tmp_path: Path, content: str) -> None:
    app = made_up(tmp_path, client_app=content)

    with pytest.raises(Unusable, match=r"names pkg\.client_app:app as its clientapp, but .* no ClientApp"):
        load_client(app)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("x = 1\nundefined_name\n", ["NameError", "undefined_name", "(pkg/client_app.py, line 2)"]),
        ("def f(:\n", ["SyntaxError", "line 1"]),
        ("from flwr.app import NoSuchThing\n", ["ImportError", "NoSuchThing", "(pkg/client_app.py, line 1)"]),
        ("raise RuntimeError('no GPU')\n", ["RuntimeError: no GPU"]),
    ],
)
def test_an_error_while_importing_is_shown_with_its_place(
    tmp_path: Path, content: str, words: list[str]
) -> None:
    app = made_up(tmp_path, client_app=content)

    with pytest.raises(Unusable) as caught:
        load_client(app)

    assert "pkg.client_app of the Flower app made-up cannot be imported" in str(caught.value)
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize(
    ("path", "module"),
    [("pkg/secret.py", "pkg.secret"), ("aside.py", "aside"), ("pkg/test_x.py", "pkg.test_x")],
)
def test_code_that_nobody_compared_is_not_used(tmp_path: Path, path: str, module: str) -> None:
    folder = write_app(tmp_path / "app", "pkg", client_app=f"import {module}\n{CLIENT_APP}")
    (folder / ".gitignore").write_text("secret.py\naside.py\n", encoding="utf-8")
    (folder / path).write_text("", encoding="utf-8")

    with pytest.raises(Unusable, match=f"imports {path}, which is not among the files"):
        load_client(read_app(folder))


def test_a_link_to_code_elsewhere_is_not_used(tmp_path: Path) -> None:
    folder = write_app(tmp_path / "app", "pkg", client_app="import pkg.linked\n" + CLIENT_APP)
    (tmp_path / "elsewhere.py").write_text("", encoding="utf-8")
    (folder / "pkg" / "linked.py").symlink_to(tmp_path / "elsewhere.py")

    with pytest.raises(Unusable, match=r"imports pkg/linked\.py"):
        load_client(read_app(folder))


def test_the_older_names_of_flower_are_the_same_classes() -> None:
    code = (
        "import shared, flwr.client, flwr.server, flwr.clientapp, flwr.serverapp\n"
        "assert flwr.client.ClientApp is flwr.clientapp.ClientApp\n"
        "assert flwr.server.ServerApp is flwr.serverapp.ServerApp\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=APPS.parents[1], env=os.environ)
