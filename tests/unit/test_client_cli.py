"""The client's flags become settings; what does not go together is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.cli import parse
from client.settings import ClientSettings
from shared.flower_app import read_app
from shared.names import DatasetName
from tests.support.apps import APPS

ME = ["--client-id", "client-1"]
APP = ["--app", str(APPS / "old-style")]


def test_without_more_flags_a_client_trains_on_the_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FEDLOOM_HOME", "FEDLOOM_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)

    assert parse(ME) == ClientSettings(
        client_id="client-1",
        dataset=DatasetName.DIGITS,
        server=None,
        data_dir=Path(".fedloom/data"),
        max_samples=0,
        device="auto",
        threads=None,
        private_labels=False,
        app=None,
        node_config={},
    )


def test_every_flag_reaches_its_setting(tmp_path: Path) -> None:
    flags = ["--dataset", "mnist", "--server", "h:1", "--data-dir", str(tmp_path), "--max-samples", "7"]

    assert parse([*ME, *flags, "--device", "cpu", "--threads", "3", "--private-labels"]) == ClientSettings(
        client_id="client-1",
        dataset=DatasetName.MNIST,
        server="h:1",
        data_dir=tmp_path,
        max_samples=7,
        device="cpu",
        threads=3,
        private_labels=True,
    )


def test_an_app_gets_the_node_config_that_was_given() -> None:
    flags = ["--node-config", "partition-id=0 num-partitions=2", "--node-config", 'name="x y"']

    settings = parse([*ME, *APP, *flags])

    assert settings.app == read_app(APPS / "old-style")
    assert settings.node_config == {"partition-id": 0, "num-partitions": 2, "name": "x y"}


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ([*APP, "--dataset", "digits"], "--dataset is for the built-in app"),
        ([*APP, "--max-samples", "3"], "--max-samples is for the built-in app"),
        ([*APP, "--data-dir", "x"], "--data-dir is for the built-in app"),
        ([*APP, "--device", "cpu"], "--device is for the built-in app"),
        ([*APP, "--private-labels"], "--private-labels is for the built-in app"),
        ([*APP, "--node-config", "nonsense"], "--node-config: 'nonsense' is not key=value"),
        (["--node-config", "partition-id=0"], "--node-config is for an app given by --app"),
        (["--app", "nowhere"], "--app nowhere: There is no folder"),
        (["--app", str(APPS)], "is no Flower app"),
    ],
)
def test_flags_that_do_not_go_together_are_named(
    flags: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([*ME, *flags])

    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_folder_with_a_percent_sign_does_not_break_the_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FEDLOOM_DATA_DIR", "/data/100%s")

    with pytest.raises(SystemExit):
        parse(["--help"])

    assert "/data/100%s" in capsys.readouterr().out.replace("\n", "").replace(" ", "")


@pytest.mark.parametrize(
    ("given", "taken"),
    [("[::1]:5050", "[::1]:5050"), ("127.0.0.1:1", "127.0.0.1:1"), ("fl.example:05050", "fl.example:5050")],
)
def test_an_address_is_taken_as_people_write_it(given: str, taken: str) -> None:
    assert parse([*ME, "--server", given]).server == taken


@pytest.mark.parametrize("text", ["::1:5050", "[fl.example]:5050", "5050", "h:0", "h:70000", "http://h:1"])
def test_what_is_no_address_is_refused_with_an_example(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([*ME, "--server", text])

    assert "for example 127.0.0.1:5050" in capsys.readouterr().err
