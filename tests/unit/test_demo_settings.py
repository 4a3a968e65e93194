"""The demo's flags become settings, for the built-in app and for any other; what does not fit is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.demo import clients
from app.demo.settings import parse
from app.local_clients import limit
from shared.names import DatasetName
from tests.support.apps import APPS, write_app

NUMPY = str(APPS / "quickstart-numpy")

FEDERATION = """
[tool.flwr.federations]
default = "local"
[tool.flwr.federations.local]
options.num-supernodes = {supernodes}
"""


def an_app_for(supernodes: int, folder: Path) -> str:
    """The folder of an app whose federation has so many SuperNodes."""
    config = f"num-server-rounds = 3\n{FEDERATION.format(supernodes=supernodes)}"
    return str(write_app(folder / "app", "pkg", config=config))


def test_without_flags_the_built_in_app_trains_mnist() -> None:
    settings = parse([])

    assert (settings.app, settings.clients, settings.max_samples) == (None, 3, 0)
    assert (settings.spec.dataset, settings.spec.num_rounds, settings.spec.min_clients) == ("mnist", 5, 3)
    assert settings.dataset_is_default
    assert not parse(["--dataset", "mnist"]).dataset_is_default


def test_a_data_set_that_is_named_is_taken() -> None:
    assert parse(["--dataset", "digits"]).spec.dataset is DatasetName.DIGITS


def test_an_app_brings_its_rounds_and_its_clients(tmp_path: Path) -> None:
    settings = parse(["--app", an_app_for(2, tmp_path)])

    assert settings.app is not None
    assert (settings.spec.app, settings.spec.num_rounds) == ("made-up", 3)
    assert (settings.clients, settings.spec.min_clients, settings.notes) == (2, 2, ())
    assert not settings.dataset_is_default


def test_an_app_that_does_not_say_how_many_clients_it_has_gets_three() -> None:
    assert parse(["--app", NUMPY]).clients == 3


def test_an_app_for_very_many_clients_gets_as_many_as_a_machine_has_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "most_by_memory", lambda: 7)
    folder = an_app_for(1000, tmp_path)

    settings = parse(["--app", folder])

    assert (settings.clients, settings.spec.min_clients) == (7, 7)
    assert len(settings.notes) == 1
    assert "has 1000 SuperNodes" in settings.notes[0]
    assert "so 7 are started; --clients" in settings.notes[0]
    asked = parse(["--app", folder, "--clients", "12"])
    assert (asked.clients, asked.notes) == (12, ())


def test_no_machine_is_asked_for_more_than_ten_clients_or_fewer_than_three() -> None:
    assert clients.DEFAULT <= limit.most_by_memory() <= limit.MOST == 10


def test_flags_of_the_run_and_its_config_reach_an_app(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("local-epochs = 9\n", encoding="utf-8")

    spec = parse(
        ["--app", NUMPY, "--rounds", "7", "--min-clients", "2", "--run-config", str(tmp_path / "run.toml")]
    ).spec

    assert (spec.num_rounds, spec.min_clients, spec.run_config) == (7, 2, {"local-epochs": 9})


def test_an_app_whose_rounds_nobody_knows_runs_as_many_as_it_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(write_app(tmp_path / "app", "pkg", config="T = 3"))

    assert "num_rounds" not in parse(["--app", folder]).spec.model_fields_set
    assert parse(["--app", folder, "--rounds-key", "T", "--rounds", "4"]).spec.num_rounds == 4
    with pytest.raises(SystemExit):
        parse(["--app", folder, "--rounds", "4"])
    assert "--rounds cannot be set: no key of the app's run config" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--app", NUMPY, "--dataset", "digits"], "--dataset is for the built-in app"),
        (["--app", NUMPY, "--iid"], "--iid is for the built-in app"),
        (["--app", NUMPY, "--secure-aggregation"], "it can use Flower's own SecAggPlusWorkflow"),
        (["--app", NUMPY, "--max-samples", "5"], "--max-samples is for the built-in app"),
        (["--app", NUMPY, "--data-dir", "data"], "--data-dir is for the built-in app"),
        (["--app", NUMPY, "--run-config", "x=1"], "no 'x' in its run config"),
        (["--app", "nowhere"], "There is no folder"),
        (["--run-config", "x=1"], "--run-config is for an app given by --app"),
        (["--rounds-key", "x"], "--rounds-key is for an app given by --app"),
        (["--clients", "0"], "--clients 0: at least 1"),
        (["--min-clients", "4"], "--min-clients 4 would wait for ever: --clients is 3"),
        (["--max-samples", "-1"], "--max-samples -1"),
        (["--rounds", "0"], "--rounds 0"),
        (["--report", "/"], "--report /: nothing can be written there"),
    ],
)
def test_what_does_not_fit_is_named(
    flags: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(flags)

    assert complaint in capsys.readouterr().err


def test_a_demo_without_its_server_for_a_while() -> None:
    assert not parse([]).mesh
    settings = parse(["--mesh", "--kill-server-at", "3"])
    assert (settings.mesh, settings.kill_server_at) == (True, 3)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--kill-server-at", "3"], "needs --mesh"),
        (["--mesh", "--kill-server-at", "5"], "from 1 to the last but one"),
        (["--mesh", "--kill-server-at", "0"], "from 1 to the last but one"),
        (["--mesh", "--app", NUMPY], "--mesh is for the built-in app"),
    ],
)
def test_an_outage_that_cannot_be_is_named(
    flags: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(flags)

    assert words in capsys.readouterr().err
