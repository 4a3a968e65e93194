"""run_demo.py --app: any Flower app at once, with the clients, rounds and packages that it asks for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import StartCommand, StartServer
from tests.support.api import Api, Json
from tests.support.apps import copy_of
from tests.support.processes import Command, wait_until_gone

FLAGS = ("--port", "0", "--no-browser")

FEDERATION = """
[tool.flwr.federations]
default = "local"
[tool.flwr.federations.local]
options.num-supernodes = 2
"""

WRITES_RESULTS = """
    from pathlib import Path

    Path(__file__).with_name("results.json").write_text("{}")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An app with a federation, a nested run config, a package that nobody has, and results beside it."""
    folder = copy_of("quickstart-numpy", tmp_path / "my apps")
    pyproject = folder / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    text = text.replace("num-server-rounds", "algorithm.num-server-rounds")
    text = text.replace("dependencies = [", 'dependencies = ["no-such-package>=2", ')
    pyproject.write_text(text + FEDERATION, encoding="utf-8")
    server_app = folder / "numpyexample" / "server_app.py"
    code = server_app.read_text(encoding="utf-8")
    code = code.replace("num-server-rounds", "algorithm.num-server-rounds")
    server_app.write_text(code + WRITES_RESULTS, encoding="utf-8")
    return folder


def run_to_its_end(home: Path, folder: Path, *flags: str) -> tuple[Command, Json]:
    """A demo of an app; the command and its report."""
    report = home / "report.json"
    ending = ("--exit-when-done", "--report", str(report))
    command = Command("run_demo.py", *FLAGS, *ending, "--app", str(folder), *flags, home=home)
    try:
        assert command.wait_for_exit(150) == 0, command
    finally:
        command.end()
    content: Json = json.loads(report.read_text(encoding="utf-8"))
    return command, content


def test_an_app_runs_with_what_it_says_itself(tmp_path: Path, folder: Path) -> None:
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))

    command, report = run_to_its_end(tmp_path, folder)

    assert (report["status"], report["app"], report["clients"]) == ("completed", "quickstart-numpy", 2)
    assert [round_["round"] for round_ in report["rounds"]] == [1, 2, 3]
    assert "packages that are not installed here: no-such-package>=2" in command.output
    assert command.output.index("no-such-package") < command.output.index("Starting the server")
    assert "Starting the server and 2 clients with the Flower app quickstart-numpy." in command.output
    assert f"Run {report['run_id']} completed after" in command.output
    copy = tmp_path / "demo" / "apps" / "quickstart-numpy" / "server"
    assert (copy / "numpyexample" / "results.json").is_file()
    assert f"What the app wrote beside itself is in {copy}: numpyexample/results.json." in command.output
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == before


def test_clients_rounds_and_a_run_config_can_be_given(tmp_path: Path, folder: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text("learning-rate = 0.02\n[algorithm]\nnum-server-rounds = 2\n", encoding="utf-8")

    _, report = run_to_its_end(tmp_path, folder, "--clients", "3", "--run-config", str(config))

    assert report["clients"] == 3
    assert [round_["clients"] for round_ in report["rounds"]] == [3, 3]


def test_a_finished_app_can_be_run_again_from_the_page(start_command: StartCommand, folder: Path) -> None:
    command = start_command("run_demo.py", *FLAGS, "--app", str(folder), "--rounds", "1")
    url = command.wait_for_output(r"The page stays at (http://localhost:\d+)", timeout_s=150)[1]
    family = command.family()
    api = Api(url)

    again = api.start(num_rounds=2, run_config={"learning-rate": 0.02})
    ended = api.wait_for_run(again["id"], "completed")
    api.close()

    assert (ended["round"], ended["num_rounds"]) == (2, 2)
    assert ended["spec"]["run_config"] == {"learning-rate": 0.02}
    command.end()
    wait_until_gone(family)


def test_rounds_that_an_app_would_ignore_are_refused_over_rest(
    start_server: StartServer, folder: Path
) -> None:
    pyproject = folder / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    pyproject.write_text(text.replace("algorithm.num-server-rounds", "T"), encoding="utf-8")
    api = Api(start_server("--app", str(folder)).url)

    refused = api.http.post("/api/v1/runs", json={"num_rounds": 2})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "num_rounds"
    assert "--rounds-key" in refused.json()["errors"][0]["message"]
    assert api.get("/runs")["runs"] == []
    assert api.get("/status")["app"]["rounds_key"] is None
    assert api.start(run_config={"T": 2})["num_rounds"] is None
    api.close()
