"""The server's flags become settings; a wrong one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.notices.address import WebhookSettings
from app.run_flags import FLAGS_FOR_ANY_APP, RUN_FLAGS
from app.settings import ServerSettings, parse
from shared.address import is_loopback
from shared.flower_app import read_app
from shared.names import DatasetName, ModelName, StrategyName
from shared.run_spec import RunSpec
from tests.support.apps import APPS, write_app

NUMPY = str(APPS / "quickstart-numpy")


def test_without_flags_nothing_is_queued_and_only_this_machine_can_reach_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("FEDLOOM_HOME", "FEDLOOM_DATA_DIR", "FEDLOOM_STORE"):
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
        app=None,
        resume="auto",
        store=None,
        home=Path(".fedloom"),
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
        "--fraction-train 0.5 --fraction-evaluate 0 --round-timeout 30 --min-replies 2 --min-reply-share 0.6 "
        "--keep-checkpoints 5 --strategy-param a=1 --strategy-param b=0.5"
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
        round_timeout_s=30.0,
        min_replies=2,
        min_reply_share=0.6,
        keep_checkpoints=5,
        strategy_params={"a": 1, "b": 0.5},
    )


def test_iid_is_no_concentration() -> None:
    assert parse(["--num-rounds", "1", "--iid"]).spec.alpha is None


def test_every_flag_of_the_server_reaches_its_setting(tmp_path: Path) -> None:
    flags = ["--host", "0.0.0.0", "--port", "81", "--link-port", "82", "--data-dir", str(tmp_path)]

    settings = parse([*flags, "--async-mode", "threading", "--resume", "never", "--store", "sqlite:///x.db"])

    assert settings == ServerSettings(
        "0.0.0.0", 81, 82, tmp_path, "threading", resume="never", store="sqlite:///x.db"
    )
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
        ["--round-timeout", "0"],
        ["--round-timeout", "inf"],
        ["--min-replies", "3"],
        ["--min-reply-share", "1.5"],
        ["--keep-checkpoints", "0"],
        ["--strategy-param", "mu"],
        ["--strategy-param", "=1"],
        ["--strategy-param", "mu="],
        ["--strategy-param", "mu=nan"],
        ["--resume", "maybe"],
        ["--run-config", "lr=0.1"],
        ["--app", "nowhere"],
        ["--stop-at-first-budget"],
    ],
)
def test_a_wrong_flag_is_named(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(flags)

    message = capsys.readouterr().err.splitlines()[-1]
    assert ended.value.code == 2
    assert message.startswith("run_server.py: error:")
    assert flags[0] in message


def test_every_strategy_can_be_chosen() -> None:
    for name in StrategyName:
        assert parse(["--strategy", name]).spec.strategy is name


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-2", -2),
        ("0.5", 0.5),
        ("1e-3", 0.001),
        ("true", True),
        ("false", False),
        ("geometric", "geometric"),
        ("a=b", "a=b"),
    ],
)
def test_a_parameter_of_the_strategy_is_what_it_looks_like(text: str, value: object) -> None:
    read = parse(["--strategy-param", f"p={text}"]).spec.strategy_params["p"]

    assert (read, type(read)) == (value, type(value))


def test_the_environment_names_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDLOOM_STORE", "postgresql://u:p@db/fl")
    assert parse([]).store == "postgresql://u:p@db/fl"
    assert parse(["--store", "sqlite:///mine.db"]).store == "sqlite:///mine.db"

    monkeypatch.setenv("FEDLOOM_STORE", "")
    assert parse([]).store is None


def test_the_help_does_not_show_what_is_secret_in_an_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FEDLOOM_STORE", "postgresql://u:hidden@db/fl")
    monkeypatch.setenv("FEDLOOM_WEBHOOK", "https://a.example/hidden")

    with pytest.raises(SystemExit):
        parse(["--help"])

    assert "hidden" not in capsys.readouterr().out


def test_the_help_speaks_of_flags_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])

    assert "null" not in capsys.readouterr().out


def test_an_app_brings_its_own_settings() -> None:
    settings = parse(["--app", NUMPY])

    assert settings.app == read_app(APPS / "quickstart-numpy")
    assert settings.spec == RunSpec(app="quickstart-numpy", num_rounds=3)
    assert not settings.queue_run


def test_a_number_of_rounds_queues_a_run_of_the_app() -> None:
    settings = parse(["--app", NUMPY, "--num-rounds", "2", "--min-clients", "5", "--round-timeout", "9"])

    assert settings.spec == RunSpec(app="quickstart-numpy", num_rounds=2, min_clients=5, round_timeout_s=9.0)
    assert settings.queue_run


def test_a_run_config_replaces_values_of_the_app() -> None:
    flags = ["--run-config", "learning-rate=1 local-epochs=2", "--run-config", "num-server-rounds=7"]

    spec = parse(["--app", NUMPY, *flags]).spec

    assert spec.run_config == {"learning-rate": 1.0, "local-epochs": 2, "num-server-rounds": 7}
    assert isinstance(spec.run_config["learning-rate"], float)
    assert spec.num_rounds == 7


def test_a_run_config_may_come_from_a_file(tmp_path: Path) -> None:
    folder = str(write_app(tmp_path / "app", "pkg", config="[tool.flwr.app.config.train]\nlr = 0.5\nn = 2"))
    (tmp_path / "run.toml").write_text("[train]\nn = 9\n", encoding="utf-8")

    spec = parse(["--app", folder, "--run-config", str(tmp_path / "run.toml")]).spec

    assert spec.run_config == {"train.n": 9}


def test_an_app_that_does_not_say_how_long_it_runs_is_not_asked(tmp_path: Path) -> None:
    folder = str(write_app(tmp_path / "app", "pkg", config="bins = 3"))

    assert parse(["--app", folder]).spec == RunSpec(app="made-up")


@pytest.mark.parametrize("flag", [flag for name, flag in RUN_FLAGS.items() if name not in FLAGS_FOR_ANY_APP])
def test_a_flag_of_the_built_in_app_does_not_go_with_another(
    flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    named = {"--strategy-param": "a=1", "--dataset": "digits", "--model": "cnn", "--strategy": "fedavg"}
    named |= {"--engine": "simulation"}
    switches = ("--keep-updates", "--secure-aggregation", "--stop-at-first-budget")
    value = [] if flag in switches else [named.get(flag, "1")]

    with pytest.raises(SystemExit):
        parse(["--app", NUMPY, flag, *value])

    assert f"{flag} is for the built-in app" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--iid"], "--iid is for the built-in app"),
        (["--secure-aggregation"], "For secure aggregation it can use Flower's own SecAggPlusWorkflow"),
        (["--run-config", "rate=1"], "--run-config: The Flower app quickstart-numpy has no 'rate'"),
        (["--run-config", "local-epochs=true"], "--run-config: True cannot be the value of local-epochs"),
        (["--run-config", "fast"], "--run-config: 'fast' is not key=value"),
        (["--run-config", "num-server-rounds=2", "--num-rounds", "3"], "contradict each other"),
        (["--num-rounds", "0"], "--num-rounds 0"),
        (["--run-config", "num-server-rounds=20000"], "--num-rounds 20000"),
    ],
)
def test_what_an_app_cannot_be_told_is_named(
    flags: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(["--app", NUMPY, *flags])

    assert complaint in capsys.readouterr().err


def test_rounds_for_an_app_that_has_none_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(write_app(tmp_path / "app", "pkg", config="bins = 3"))

    with pytest.raises(SystemExit):
        parse(["--app", folder, "--num-rounds", "2"])

    complaint = capsys.readouterr().err
    assert "--num-rounds cannot be set: no key of the app's run config is known" in complaint
    assert "Name the key with --rounds-key" in complaint


def test_rounds_are_set_by_the_key_that_is_named(tmp_path: Path) -> None:
    folder = str(write_app(tmp_path / "app", "pkg", config="T = 3\nlr = 0.5"))

    settings = parse(["--app", folder, "--rounds-key", "T", "--num-rounds", "5"])

    assert (settings.spec.num_rounds, settings.queue_run) == (5, True)
    assert settings.app is not None
    assert settings.app.rounds_key == "T"
    assert parse(["--app", folder, "--rounds-key", "T"]).spec.num_rounds == 3


def test_a_run_of_an_app_can_be_queued_without_a_number_of_rounds(tmp_path: Path) -> None:
    folder = str(write_app(tmp_path / "app", "pkg", config="lr = 0.5"))

    settings = parse(["--app", folder, "--queue-run"])

    assert settings.queue_run
    assert "num_rounds" not in settings.spec.model_fields_set


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--rounds-key", "T"], "--rounds-key is for an app given by --app"),
        (["--run-config", "lr=1"], "--run-config is for an app given by --app"),
        (["--app", NUMPY, "--rounds-key", "T"], "--rounds-key T: there is no 'T' in the app's run config"),
        (["--app", NUMPY, "--rounds-key", "learning-rate"], "cannot be the number of rounds"),
    ],
)
def test_a_key_without_its_app_is_refused(
    flags: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(flags)

    assert complaint in capsys.readouterr().err


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


def test_webhook_and_trackers_are_named_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEDLOOM_HOME", str(tmp_path))
    monkeypatch.setenv("FEDLOOM_WEBHOOK", "https://a.example/hook")

    settings = parse(
        ["--webhook-waiting", "60", "--track", "tensorboard:runs", "--track", "mlflow:http://b/"]
    )

    assert settings.webhook == WebhookSettings("https://a.example/hook", tmp_path / "webhook-secret", 60.0)
    assert [(each.kind, each.where) for each in settings.trackers] == [
        ("tensorboard", "runs"),
        ("mlflow", "http://b"),
    ]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--webhook-waiting 60", "--webhook-waiting needs --webhook"),
        ("--webhook ftp://a", "begins with https://"),
        ("--webhook https://a --webhook-waiting 0", "is not a number of seconds"),
        ("--track wandb:x", "--track 'wandb:x' is neither"),
    ],
)
def test_a_webhook_or_tracker_that_cannot_be_is_refused(
    flags: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(flags.split())

    assert words in capsys.readouterr().err
