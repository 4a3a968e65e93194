"""A folder is read as a Flower app; two ends that have different ones are told how they differ."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shared.errors import AppInvalid
from shared.flower_app import FlowerApp, compare, read_app
from shared.proto.link_pb2 import AppIdentity
from tests.support.apps import APPS, write_app

NAMES = sorted(folder.name for folder in APPS.iterdir())


def digest(folder: Path) -> str:
    return read_app(folder).digest


@pytest.mark.parametrize("name", NAMES)
def test_an_app_written_for_flower_can_be_read(name: str) -> None:
    app = read_app(APPS / name)

    assert (app.name, app.version, app.folder) == (name, "1.0.0", APPS / name)
    assert len(app.digest) == 64
    assert app.run_config["num-server-rounds"] in (2, 3)
    for reference in (app.serverapp, app.clientapp):
        module, _, attribute = reference.partition(":")
        assert f"{module.replace('.', '/')}.py" in app.files
        assert attribute.isidentifier()
    assert "pyproject.toml" in app.files


def test_there_are_apps_of_every_kind() -> None:
    assert len(NAMES) >= 8


def test_nested_run_config_is_flat(tmp_path: Path) -> None:
    config = (
        'num-server-rounds = 3\nname = "x"\non = true\n\n[tool.flwr.app.config.model]\nwidth = 8\nlr = 0.5'
    )

    app = read_app(write_app(tmp_path / "a", "pkg", config=config))

    assert app.run_config == {
        "num-server-rounds": 3,
        "name": "x",
        "on": True,
        "model.width": 8,
        "model.lr": 0.5,
    }


def test_an_app_needs_no_run_config(tmp_path: Path) -> None:
    assert read_app(write_app(tmp_path / "a", "pkg", config="")).run_config == {}


def test_the_same_files_elsewhere_and_at_another_time_are_the_same_app(tmp_path: Path) -> None:
    here = write_app(tmp_path / "a", "pkg")
    there = write_app(tmp_path / "b", "pkg")
    for path in there.rglob("*.py"):
        os.utime(path, (1, 1))

    assert digest(here) == digest(there)
    assert read_app(here).identity() == read_app(there).identity()


@pytest.mark.parametrize("path", ["pkg/client_app.py", "pkg/new.py", "README.md", "conf/params.yaml"])
def test_a_file_that_flower_bundles_makes_a_difference(tmp_path: Path, path: str) -> None:
    folder = write_app(tmp_path / "a", "pkg")
    before = digest(folder)

    (folder / path).parent.mkdir(exist_ok=True)
    with (folder / path).open("a", encoding="utf-8") as file:
        file.write("# changed\n")

    assert digest(folder) != before


@pytest.mark.parametrize(
    "path",
    [
        "pkg/__pycache__/x.py",
        ".venv/lib/x.py",
        "pkg/test_client.py",
        "data.csv",
        "final_model.pt",
        "results.json",
    ],
)
def test_a_file_that_flower_does_not_bundle_makes_none(tmp_path: Path, path: str) -> None:
    folder = write_app(tmp_path / "a", "pkg")
    (folder / ".gitignore").write_text("results.json\n", encoding="utf-8")
    before = digest(folder)

    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text("x = 1\n", encoding="utf-8")

    assert digest(folder) == before


@pytest.mark.parametrize("rule", ['fab-include = ["pkg/**/*.py"]', 'fab-exclude = ["notes/**"]'])
def test_the_apps_own_rules_decide_what_counts(tmp_path: Path, rule: str) -> None:
    folder = write_app(tmp_path / "a", "pkg", more=rule)
    (folder / "notes").mkdir()
    (folder / "notes" / "one.md").write_text("words\n", encoding="utf-8")
    before = digest(folder)

    (folder / "notes" / "two.md").write_text("more words\n", encoding="utf-8")

    assert digest(folder) == before


@pytest.mark.parametrize(
    "path",
    [
        ".fedloom/apps/x/server/pkg/client_app.py",
        ".git/refs/heads/x.py",
        "pkg/env/pyvenv.cfg",
        "node_modules/x/README.md",
    ],
)
def test_what_is_never_the_apps_makes_none_though_flower_would_bundle_it(tmp_path: Path, path: str) -> None:
    folder = write_app(tmp_path / "a", "pkg")
    before = digest(folder)

    (folder / path).parent.mkdir(parents=True)
    (folder / path).write_text("x = 1\n", encoding="utf-8")
    (folder / path).with_name("code.py").write_text("x = 1\n", encoding="utf-8")

    assert digest(folder) == before


def test_moving_a_text_from_one_file_to_another_makes_a_difference(tmp_path: Path) -> None:
    one, other = write_app(tmp_path / "a", "pkg"), write_app(tmp_path / "b", "pkg")
    (one / "pkg" / "x.py").write_text("a = 1\n", encoding="utf-8")
    (other / "pkg" / "y.py").write_text("a = 1\n", encoding="utf-8")

    assert digest(one) != digest(other)


def test_line_endings_count(tmp_path: Path) -> None:
    folder = write_app(tmp_path / "a", "pkg")
    before = digest(folder)
    path = folder / "pkg" / "client_app.py"

    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert digest(folder) != before


def test_the_federations_of_a_machine_are_not_part_of_the_app(tmp_path: Path) -> None:
    folder = write_app(tmp_path / "a", "pkg")
    before = digest(folder)

    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n# of this machine\n[tool.flwr.federations.local]\noptions.num-supernodes = 7\n")

    assert digest(folder) == before


def test_another_run_config_is_another_app(tmp_path: Path) -> None:
    one = write_app(tmp_path / "a", "pkg", config="lr = 0.1")
    other = write_app(tmp_path / "b", "pkg", config="lr = 0.2")

    assert digest(one) != digest(other)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AppInvalid, match=r"There is no folder .*nowhere"):
        read_app(tmp_path / "nowhere")


def test_a_folder_without_an_app_is_named(tmp_path: Path) -> None:
    with pytest.raises(AppInvalid, match=r"no Flower app: there is no pyproject\.toml"):
        read_app(tmp_path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name = ", "is not valid TOML"),
        ("\xff", "is not valid TOML"),
        ("[project]\nname = 'x'", "project.version: Field required"),
        ("[project]\nname = 'x'\nversion = '1'", "tool: Field required"),
        ("[project]\nname = 'x'\nversion = '1'\n[tool.flwr.app]", "tool.flwr.app.components: Field required"),
        (
            "[project]\nname = 'x'\nversion = '1'\n[tool.flwr.app.components]\nagentapp = 'x:y'",
            "tool.flwr.app.components.serverapp: Field required",
        ),
        ("tool = 3\n[project]\nname = 'x'\nversion = '1'", "tool"),
        ("[project]\nname = 'x'\nversion = 1", "project.version: Input should be a valid string"),
    ],
)
def test_a_file_that_describes_no_app_is_explained(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "pyproject.toml").write_bytes(text.encode("latin-1"))

    with pytest.raises(AppInvalid) as caught:
        read_app(tmp_path)

    assert str(tmp_path / "pyproject.toml") in str(caught.value)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('publisher = "tests"', ""), 'Property "publisher" missing'),
        (('name = "made-up"', 'name = "made up!"'), "made up!"),
        (('serverapp = "pkg.server_app:app"', 'serverapp = "pkg.server_app"'), "Missing attribute"),
        (("num-server-rounds = 3", "num-server-rounds = [3]"), "num-server-rounds needs to be of type"),
        (("num-server-rounds = 3", "lr = inf"), "value of lr in the run config is not a finite number"),
        (("num-server-rounds = 3", "n = 99999999999999999999"), "value of n in the run config does not fit"),
        (('"numpy"', '"numpy", "flwr"'), "Multiple"),
        (
            ("\n[tool.flwr.app.components]", 'fab-include = ["nothing/*"]\n[tool.flwr.app.components]'),
            "nothing",
        ),
    ],
)
def test_what_flower_refuses_is_refused_in_its_words(
    tmp_path: Path, change: tuple[str, str], complaint: str
) -> None:
    path = write_app(tmp_path / "a", "pkg") / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change), encoding="utf-8")

    with pytest.raises(AppInvalid) as caught:
        read_app(path.parent)

    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("files", "serverapp", "clientapp"),
    [
        (["client.py", "server.py"], "server:app", "client:app"),
        (["app/__init__.py", "app/server.py", "app/client.py"], "app.server:app", "app.client:app"),
        (["code/__init__.py", "code/s.py", "code/c.py"], "code.s:app", "code.c:app"),
        (["shared.py", "server.py", "client.py"], "server:app", "client:app"),
        (["pkg/s.py", "pkg/c.py", "app/plot.py"], "pkg.s:app", "pkg.c:app"),
        (["s.py", "c.py"], "s:app", "c:app"),
    ],
)
def test_an_app_may_call_its_modules_as_it_likes(
    tmp_path: Path, files: list[str], serverapp: str, clientapp: str
) -> None:
    folder = write_app(tmp_path / "a", "unused")
    pyproject = folder / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    text = text.replace("unused.server_app:app", serverapp).replace("unused.client_app:app", clientapp)
    pyproject.write_text(text, encoding="utf-8")
    for path in files:
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).touch()

    app = read_app(folder)

    assert (app.serverapp, app.clientapp) == (serverapp, clientapp)
    assert set(files) < app.files.keys()


def test_an_app_through_a_link_is_the_app(tmp_path: Path) -> None:
    folder = write_app(tmp_path / "a", "pkg")
    (tmp_path / "link").symlink_to(folder)

    assert read_app(tmp_path / "link") == read_app(folder)


def an_app(name: str = "x", version: str = "1.0.0", digest: str = "ab" * 32) -> FlowerApp:
    return FlowerApp(Path("/app"), name, version, digest, "x.server:app", "x.client:app")


def test_two_ends_with_the_same_app_can_work_together() -> None:
    assert compare(None, None) is None
    assert compare(an_app(), an_app().identity()) is None


@pytest.mark.parametrize(
    ("client", "words"),
    [
        (None, ["server runs the Flower app x 1.0.0", "client the built-in app", "--app"]),
        (an_app(name="y"), ["server runs the Flower app x 1.0.0", "client y 1.0.0", "same app"]),
        (an_app(version="2"), ["version 1.0.0 of the Flower app x", "client version 2", "same files"]),
        (
            an_app(digest="cd" * 32),
            ["x", "files differ", "abab", "cdcd", "Give both the same", ".gitignore"],
        ),
    ],
)
def test_a_difference_is_told_in_words(client: FlowerApp | None, words: list[str]) -> None:
    theirs = client.identity() if client else None

    difference = compare(an_app(), theirs)

    assert difference is not None
    assert all(word in difference for word in words), difference


def test_a_server_without_the_clients_app_says_so() -> None:
    difference = compare(None, AppIdentity(name="x", version="1", digest="ab"))

    assert difference is not None
    assert "client runs the Flower app x 1, the server the built-in app" in difference
