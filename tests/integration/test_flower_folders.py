"""Apps whose folders, names, settings and modules are not as usual, here and under Flower's own engine.

Each is the plain shape of `tests/apps/shapes` in another form, so that the numbers of all are known. A server
runs one app, so that each has a server and clients of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app.demo.fleet import Fleet
from shared.flower_app import read_app
from tests.conftest import Clients, StartCommand, StartServer
from tests.support.api import Api, Json
from tests.support.apps import plain_parts, write_parts
from tests.support.flower_reference import FlowerReference, ReferenceApp, RoundOf

PAIR = ("client-1", "client-2")
ROUNDS = 2
LAYOUT = [RoundOf(("train", "evaluate"), (0, number)) for number in range(1, ROUNDS + 1)]

ONCE = """
from collections import Counter

registry: Counter[str] = Counter()


def register(name: str) -> None:
    \"\"\"As Prometheus has it: a name that is there already is an error.\"\"\"
    registry[name] += 1
    if registry[name] > 1:
        raise ValueError(f"Duplicated timeseries: {name}")
"""

AT_IMPORT = """
import logging
import multiprocessing

from spawning.once import register

multiprocessing.set_start_method("spawn")
register("rounds_total")
logging.basicConfig(level=logging.DEBUG, force=True)

"""

SAVING = """

    place = Path(__file__).parents[1] / "results.json"
    place.write_text(json.dumps(result.train_metrics_clientapp[1]["train_loss"]))
    Path(__file__).with_name("model.npz").write_bytes(b"a model")
"""


def flat(folder: Path) -> Path:
    """`client.py` and `server.py` beside the pyproject.toml, as FedLoom has a folder and many apps a file."""
    server, client, task = plain_parts("task")
    parts = {"server.py": server, "client.py": client, "task.py": task}
    return write_parts(folder, parts, serverapp="server:server_app", clientapp="client:client_app")


def package(name: str) -> Callable[[Path], Path]:
    """A package that is called as one of FedLoom or of Python's own."""

    def write(folder: Path) -> Path:
        server, client, task = plain_parts(f"{name}.task")
        parts = {
            f"{name}/__init__.py": "",
            f"{name}/server_app.py": server,
            f"{name}/client_app.py": client,
            f"{name}/task.py": task,
        }
        ends = {"serverapp": f"{name}.server_app:server_app", "clientapp": f"{name}.client_app:client_app"}
        return write_parts(folder, parts, **ends)

    return write


def with_a_side_folder(folder: Path) -> Path:
    """A folder `app` with one script that nothing imports."""
    made = package("fine")(folder)
    (made / "app").mkdir()
    (made / "app" / "plot.py").write_text("import there_is_no_such_package\n", encoding="utf-8")
    return made


def nested(folder: Path) -> Path:
    """The number of rounds in a nested table: the baseline fedprox."""
    made = package("nested")(folder)
    replace(made / "nested/server_app.py", '["num-server-rounds"]', '["algorithm.num-server-rounds"]')
    replace(
        made / "pyproject.toml",
        "[tool.flwr.app.config]\nnum-server-rounds",
        "[tool.flwr.app.config.algorithm]\nnum-server-rounds",
    )
    return made


def once_at_import(folder: Path) -> Path:
    """What a process can do once only, done where modules are imported."""
    made = package("spawning")(folder)
    (made / "spawning/once.py").write_text(ONCE.lstrip(), encoding="utf-8")
    for end in ("server_app.py", "client_app.py"):
        file = made / "spawning" / end
        file.write_text(AT_IMPORT.lstrip() + file.read_text(encoding="utf-8"), encoding="utf-8")
    return made


def saving_beside_itself(folder: Path) -> Path:
    """Results and a model, where its code lies: the baselines fedbn and fedprox."""
    made = package("saving")(folder)
    file = made / "saving/server_app.py"
    text = file.read_text(encoding="utf-8").rstrip()
    file.write_text("import json\nfrom pathlib import Path\n\n" + text + SAVING, encoding="utf-8")
    return made


FOLDERS: dict[str, Callable[[Path], Path]] = {
    "flat files": flat,
    "a package called app": package("app"),
    "a package called code": package("code"),
    "a side folder called app": with_a_side_folder,
    "rounds in a nested table": nested,
    "what can be done once": once_at_import,
    "saves beside itself": saving_beside_itself,
}
UNDER_FLOWER = {**FOLDERS, "a package called code": package("fine")}
"""What Flower's engine runs in their place: it has Python's own `code` loaded."""


def replace(file: Path, old: str, new: str) -> None:
    """Change what must be there."""
    text = file.read_text(encoding="utf-8")
    assert old in text, text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each app in a folder of its own."""
    return {name: write(tmp_path_factory.mktemp("app") / "made-up") for name, write in FOLDERS.items()}


@pytest.fixture(scope="module")
def flower(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What Flower makes of each, in copies of the folders."""
    apps = {}
    for name, write in UNDER_FLOWER.items():
        folder = write(tmp_path_factory.mktemp("theirs") / "made-up")
        key = "algorithm.num-server-rounds" if name == "rounds in a nested table" else "num-server-rounds"
        apps[name] = ReferenceApp(folder, {key: ROUNDS})
    reference = FlowerReference(list(apps.values()), len(PAIR), tmp_path_factory.mktemp("flower"))
    yield {name: lambda app=app: reference.of(app) for name, app in apps.items()}
    reference.end()


@pytest.fixture
def started(start_server: StartServer, tmp_path: Path) -> Iterator[Callable[[Path], Api]]:
    """Starts a server with an app, and two clients."""
    with Fleet() as fleet, ExitStack() as ending:

        def start(folder: Path) -> Api:
            server = start_server("--app", str(folder))
            api = Api(server.url)
            ending.callback(api.close)
            clients = Clients(fleet, server, tmp_path)
            clients.start(*PAIR, app=read_app(folder))
            return api

        yield start


def completed(api: Api) -> list[Json]:
    """The rounds of a run with both clients."""
    run = api.start(app="made-up", num_rounds=ROUNDS, min_clients=len(PAIR))
    ended = api.wait_for_run(run["id"], "completed", timeout_s=120)
    assert ended["num_rounds"] == ROUNDS
    return api.rounds(run["id"])


@pytest.mark.parametrize("name", FOLDERS)
def test_an_app_in_this_form_gives_the_numbers_that_it_gives_under_flower(
    name: str,
    folders: dict[str, Path],
    flower: dict[str, Any],
    started: Callable[[Path], Api],
) -> None:
    before = sorted(folders[name].rglob("*"))

    rounds = completed(started(folders[name]))

    outcome = flower[name]()
    assert outcome.error is None
    assert [round_["metrics"] for round_ in rounds] == [
        {stage: pytest.approx(numbers, rel=1e-9) for stage, numbers in metrics.items()}
        for metrics in outcome.rounds(LAYOUT)
    ]
    assert sorted(folders[name].rglob("*")) == before, "what the app writes is not in its folder"


def test_a_client_that_comes_after_the_app_has_saved_its_results_is_let_in(
    folders: dict[str, Path], started: Callable[[Path], Api], start_command: StartCommand
) -> None:
    folder = folders["saves beside itself"]
    api = started(folder)
    completed(api)

    link = api.get("/status")["link"]
    address = ("--server", f"127.0.0.1:{link['port']}")
    start_command("run_client.py", "--client-id", "late", "--app", str(folder), *address)

    api.wait_for_client("late", "idle")


def test_a_submodule_that_is_missing_is_not_a_package_to_install(
    tmp_path: Path, start_command: StartCommand
) -> None:
    folder = package("fine")(tmp_path / "made-up")
    file = folder / "fine/client_app.py"
    file.write_text("import flwr.nothing_there\n" + file.read_text(encoding="utf-8"), encoding="utf-8")

    client = start_command("run_client.py", "--client-id", "a", "--app", str(folder))

    assert client.wait_for_exit(90) == 1
    assert "flwr.nothing_there" in client.output
    assert "pip install flwr.nothing_there" not in client.output
    assert "Traceback" not in client.output
