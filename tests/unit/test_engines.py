"""Flower's engines in a run: what they can carry, what they need, what is said of their failures."""

from __future__ import annotations

import importlib.util
import os
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flwr.superlink.cli.flower_superlink import _parse_args_run_superlink
from flwr.supernode.cli.flower_supernode import _parse_args_run_supernode

from app.demo.settings import parse as parse_demo
from app.event_bus import EventBus
from app.federation.engines import making, process_engine
from app.federation.engines.failures import failed_by, reason_in
from app.federation.engines.process_engine import Program
from app.federation.engines.simulation import program as simulation
from app.federation.engines.simulation.program import LONGEST_FOLDER
from app.federation.runs.book import RunBook
from app.federation.runs.endings import Endings
from app.federation.runs.run_queue import taken_up
from app.records import Cause, RunState
from app.settings import parse
from shared.errors import AppDied, EngineFailed, SettingsInvalid
from shared.mesh_contribution import objection
from shared.names import EngineName
from shared.run_spec import RunSpec
from tests.support.documents import commands
from tests.support.processes import ROOT
from tests.support.records import a_run

SIMULATION: dict[str, Any] = {"engine": "simulation", "simulated_clients": 4}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dp", {"noise_multiplier": 1.0}),
        ("secure_aggregation", {}),
        ("num_partitions", 8),
        ("app", "another"),
    ],
)
@pytest.mark.parametrize("engine", ["simulation", "superlink"])
def test_what_needs_fedlooms_own_clients_is_refused_by_its_name(
    engine: str, field: str, value: object
) -> None:
    with pytest.raises(ValueError, match=f"cannot be combined with {field}"):
        RunSpec.model_validate({**SIMULATION, "engine": engine, field: value})


def test_a_simulation_with_too_few_clients_is_refused_also_where_their_number_is_the_default() -> None:
    with pytest.raises(ValueError, match="10 simulated clients are too few"):
        RunSpec.model_validate({"engine": "simulation", "min_clients": 11})


def test_a_run_on_an_engine_is_not_learned_in_the_mesh() -> None:
    assert "which are in no mesh" in (objection(RunSpec(**SIMULATION)) or "")


def test_an_engine_is_a_setting_of_the_run_and_not_of_its_clients() -> None:
    assert not any("engine" in key or "simulated" in key for key in RunSpec(**SIMULATION).to_run_config())


def test_without_ray_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(SettingsInvalid, match=r"pip install -r requirements-simulation\.txt"):
        making.check(RunSpec(**SIMULATION), None)


def test_a_client_that_needs_more_cpus_than_there_are_is_refused() -> None:
    spec = RunSpec(**SIMULATION, simulated_client_cpus=(os.cpu_count() or 1) + 1)

    with pytest.raises(SettingsInvalid, match="No client could ever work"):
        making.check(spec, None)


def test_ray_asks_for_a_token_that_each_run_has_of_its_own(tmp_path: Path) -> None:
    first, second = (simulation.program(RunSpec(**SIMULATION), tmp_path) for _ in range(2))

    assert first.env["RAY_AUTH_MODE"] == "token"
    assert len(first.env["RAY_AUTH_TOKEN"]) == 64
    assert first.env["RAY_AUTH_TOKEN"] != second.env["RAY_AUTH_TOKEN"]
    assert first.env["RAY_AUTH_TOKEN"] not in repr(first)


def a_program(longest_folder: int | None) -> Program:
    return Program("The engine", "the engine", "a.module", {}, longest_folder=longest_folder)


@pytest.fixture
def far_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are by default, too far down for sockets."""
    folder = tmp_path / ("d" * 100)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.usefixtures("far_down")
def test_an_engine_s_sockets_have_a_short_path_wherever_temporary_files_are() -> None:
    folder = Path(process_engine.temporary_folder(a_program(LONGEST_FOLDER)))
    folder.rmdir()

    assert folder.parent == Path("/tmp")
    assert len(str(folder)) <= LONGEST_FOLDER


def test_where_there_is_no_short_path_that_is_said_and_nothing_left(
    far_down: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_engine, "SHORT", str(far_down / "missing"))

    with pytest.raises(EngineFailed, match="start the server with a shorter TMPDIR"):
        process_engine.temporary_folder(a_program(LONGEST_FOLDER))

    assert list(far_down.iterdir()) == []
    assert Path(process_engine.temporary_folder(a_program(None))).parent == far_down


def test_a_server_without_a_superlink_says_so_and_its_run_can_go_on_elsewhere(tmp_path: Path) -> None:
    spec = RunSpec(engine=EngineName.SUPERLINK)

    with pytest.raises(SettingsInvalid, match="Start it with --superlink"):
        making.check(spec, None)
    with pytest.raises(EngineFailed, match="Start it with --superlink"):
        making.engine_of(a_run("a", spec=spec), tmp_path, None)


@pytest.mark.parametrize(
    "flags",
    [
        "--superlink http://here:9",
        "--superlink here",
        "--superlink here:0",
        "--superlink-insecure",
        "--superlink here:9 --superlink-insecure --superlink-root-certificates no-file",
        "--superlink here:9 --superlink-root-certificates no-file",
    ],
)
def test_flags_of_a_superlink_that_cannot_be_are_refused(
    flags: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(flags.split())

    assert "--superlink" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("address", "is_taken"),
    [("127.0.0.1:8000", True), ("localhost:8000", True), ("[::1]:8000", True), ("192.0.2.7:8000", False)],
)
def test_only_a_superlink_on_this_machine_is_spoken_with_in_the_clear(
    address: str, is_taken: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--superlink", address, "--superlink-insecure"]
    if is_taken:
        assert parse(flags).superlink is not None
        return
    with pytest.raises(SystemExit):
        parse(flags)

    assert "192.0.2.7 may be another" in capsys.readouterr().err


def test_a_demo_of_simulated_clients_starts_none() -> None:
    settings = parse_demo(["--engine", "simulation", "--clients", "7"])

    assert (settings.clients, settings.processes, settings.spec.simulated_clients) == (7, 0, 7)
    assert parse_demo(["--engine", "simulation", "--simulated-clients", "9"]).spec.min_clients == 9


def test_the_documents_commands_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsers: dict[str, Callable[[list[str]], object]] = {
        "run_server.py": parse,
        "run_demo.py": parse_demo,
        "flower-superlink": _parse_args_run_superlink().parse_args,
        "flower-supernode": _parse_args_run_supernode().parse_args,
    }
    monkeypatch.chdir(tmp_path)
    Path("ca.pem").touch()
    understood = []
    for command in commands("docs/engines.md"):
        program, *flags = shlex.split(command.removeprefix("python "))
        if program == "pip":
            assert (ROOT / flags[-1]).is_file()
        else:
            parsers[program](flags)
        understood.append(program)

    assert parsers.keys() <= set(understood)


def test_of_a_client_s_error_the_last_line_is_shown() -> None:
    reported = "<class 'X'>:<'remote\n  File \"a.py\", line 3\nshared.errors.Y: The part is empty.\n'>"

    assert reason_in(reported) == "shared.errors.Y: The part is empty."
    assert reason_in("It is gone.") == "It is gone."
    assert "does not say why" in reason_in("")


def test_a_run_whose_engine_ended_is_interrupted_with_what_it_printed_and_begins_anew_without() -> None:
    book = RunBook(EventBus())
    book.add(a_run("a", state=RunState.RUNNING, started_at=1.0, spec=RunSpec(**SIMULATION)))

    Endings(book).end_by("a", failed_by("The engine", AppDied("It was killed.", "frames\nValueError: x")))

    run = book.run("a")
    assert (run.state, run.cause, run.can_resume) == (RunState.INTERRUPTED, Cause.ENGINE, True)
    assert "It was killed." in (run.reason or "")
    assert run.error == "frames\nValueError: x"
    assert book.update("a", reason=None, **taken_up()).error is None
