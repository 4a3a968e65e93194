"""The server's flags become settings; a wrong one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.federation.spec import RunSpec
from app.settings import ServerSettings, is_loopback, parse
from shared.names import DatasetName, ModelName, StrategyName


def test_without_flags_nothing_is_queued_and_only_this_machine_can_reach_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("FEDLOOM_HOME", "FEDLOOM_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)

    settings = parse([])

    assert settings == ServerSettings(
        host="127.0.0.1",
        port=5000,
        link_port=5050,
        data_dir=Path(".fedloom/data"),
        async_mode="eventlet",
        spec=RunSpec(),
        queue_run=False,
    )
    assert settings.on_loopback


def test_with_a_number_of_rounds_a_run_is_queued_with_the_defaults() -> None:
    settings = parse(["--num-rounds", "7"])

    assert settings.queue_run
    assert settings.spec == RunSpec(num_rounds=7)


def test_without_a_number_of_rounds_the_flags_are_what_the_page_begins_with() -> None:
    settings = parse(["--dataset", "mnist", "--lr", "0.1"])

    assert not settings.queue_run
    assert settings.spec == RunSpec(dataset=DatasetName.MNIST, lr=0.1)


def test_every_flag_of_a_run_reaches_its_field() -> None:
    flags = (
        "--dataset mnist --num-rounds 3 --model linear --strategy fedavg --min-clients 4 --num-partitions 8 "
        "--local-epochs 2 --batch-size 16 --lr 0.1 --alpha 0.3 --seed 9 "
        "--fraction-train 0.5 --fraction-evaluate 0"
    )

    assert parse(flags.split()).spec == RunSpec(
        dataset=DatasetName.MNIST,
        num_rounds=3,
        model=ModelName.LINEAR,
        strategy=StrategyName.FEDAVG,
        min_clients=4,
        num_partitions=8,
        local_epochs=2,
        batch_size=16,
        lr=0.1,
        alpha=0.3,
        seed=9,
        fraction_train=0.5,
        fraction_evaluate=0.0,
    )


def test_iid_is_no_concentration() -> None:
    assert parse(["--num-rounds", "1", "--iid"]).spec.alpha is None


def test_every_flag_of_the_server_reaches_its_setting(tmp_path: Path) -> None:
    flags = ["--host", "0.0.0.0", "--port", "81", "--link-port", "82", "--data-dir", str(tmp_path)]

    settings = parse([*flags, "--async-mode", "threading"])

    assert settings == ServerSettings("0.0.0.0", 81, 82, tmp_path, "threading")
    assert not settings.on_loopback


def test_the_environment_names_the_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FEDLOOM_DATA_DIR", raising=False)
    monkeypatch.setenv("FEDLOOM_HOME", str(tmp_path))
    assert parse([]).data_dir == tmp_path / "data"

    monkeypatch.setenv("FEDLOOM_DATA_DIR", str(tmp_path / "elsewhere"))
    assert parse([]).data_dir == tmp_path / "elsewhere"
    assert parse(["--data-dir", "here"]).data_dir == Path("here")


@pytest.mark.parametrize(
    "flags",
    [
        ["--num-rounds", "0"],
        ["--num-rounds", "many"],
        ["--lr", "-1", "--num-rounds", "1"],
        ["--lr", "nan", "--num-rounds", "1"],
        ["--alpha", "0", "--num-rounds", "1"],
        ["--fraction-train", "2", "--num-rounds", "1"],
        ["--num-partitions", "1", "--num-rounds", "1"],
        ["--dataset", "imagenet"],
        ["--strategy", "magic"],
        ["--port", "70000"],
        ["--port", "-1"],
        ["--link-port", "web"],
        ["--async-mode", "gevent"],
        ["--rounds", "3"],
    ],
)
def test_a_wrong_flag_is_named(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(flags)

    message = capsys.readouterr().err.splitlines()[-1]
    assert ended.value.code == 2
    assert message.startswith("run_server.py: error:")
    assert flags[0] in message


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
    ],
)
def test_only_this_machines_own_names_are_loopback(host: str, own: bool) -> None:
    assert is_loopback(host) is own
