"""The units for systemd are such that systemd takes them; those for Windows start what there is."""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path, PureWindowsPath
from xml.etree import ElementTree

import pytest

from app.settings import DEFAULT_DRAIN_S, build_parser
from client.cli import build_parser as client_parser
from tests.support.processes import ROOT
from tests.support.tools import require

UNITS = ROOT / "containers" / "systemd"
SERVICES = ROOT / "containers" / "windows"
PYTHON = "/opt/fedloom/.venv/bin/python"


def setting(unit: str, name: str) -> str:
    (line,) = [line for line in (UNITS / unit).read_text().splitlines() if line.startswith(f"{name}=")]
    return line.partition("=")[2]


@pytest.mark.parametrize("unit", ["fedloom-server.service", "fedloom-client@.service"])
def test_systemd_has_no_objection(unit: str, tmp_path: Path) -> None:
    analyze = require("systemd-analyze", why="it verifies units")
    text = (UNITS / unit).read_text().replace(PYTHON, sys.executable).replace("/opt/fedloom", str(ROOT))
    (tmp_path / unit).write_text(text)

    result = subprocess.run([analyze, "verify", str(tmp_path / unit)], capture_output=True, text=True)

    said = [line for line in result.stderr.splitlines() if "fedloom" in line]
    assert (result.returncode, said) == (0, []), result.stderr


def test_what_they_start_takes_these_flags() -> None:
    _, script, *server = setting("fedloom-server.service", "ExecStart").split()
    build_parser().parse_args(server)
    assert (ROOT / Path(script).relative_to("/opt/fedloom")).exists()

    _, script, *client = setting("fedloom-client@.service", "ExecStart").split()
    client_parser().parse_args([flag.replace("%i", "ward-3") for flag in client if flag != "$FEDLOOM_FLAGS"])
    assert (ROOT / Path(script).relative_to("/opt/fedloom")).exists()


def test_a_stop_may_take_longer_than_the_round_that_goes_on() -> None:
    assert int(setting("fedloom-server.service", "TimeoutStopSec")) > DEFAULT_DRAIN_S + 3


@pytest.mark.parametrize(
    ("name", "parser"), [("fedloom-server", build_parser()), ("fedloom-client", client_parser())]
)
def test_what_a_service_of_windows_starts_takes_its_flags(name: str, parser: ArgumentParser) -> None:
    service = ElementTree.parse(SERVICES / f"{name}.xml").getroot()
    script, *flags = service.findtext("arguments", "").split()

    parser.parse_args(flags)
    assert (ROOT / PureWindowsPath(script).relative_to(r"C:\fedloom")).exists()
    assert service.findtext("id") == name
