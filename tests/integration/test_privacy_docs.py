"""Every command of docs/privacy.md does what the document says."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from dp_accounting import GaussianDpEvent
from dp_accounting.rdp import RdpAccountant

from tests.support.api import Json
from tests.support.documents import commands
from tests.support.processes import Command

COMMANDS = commands("docs/privacy.md")


def the_command(*words: str) -> list[str]:
    """The document's first command with these words in it; its own words without `python`."""
    found = next(command for command in COMMANDS if set(words) <= set(shlex.split(command)))
    return shlex.split(found)[1:]


def demo(home: Path, *words: str) -> Json:
    """The report of the document's demo with these words in it."""
    script, *flags = the_command("run_demo.py", *words)
    command = Command(script, *flags, "--port", "0", "--no-browser", home=home)
    try:
        assert command.wait_for_exit(120) == 0, command
    finally:
        command.end()
    report: Json = json.loads((home / "report.json").read_text(encoding="utf-8"))
    return report


def test_every_command_is_run_here() -> None:
    programs = [" ".join(shlex.split(command)[1:3]) for command in COMMANDS]

    assert programs == [*["run_demo.py --clients"] * 3, "-m bench.attacks"]


@pytest.mark.parametrize("words", [("dpfedavg-fixed",), ("dpfedavg-fixed", "--secure-aggregation")])
def test_central_privacy_is_told_for_each_round_and_hides_clients(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    report = demo(tmp_path, *words)

    assert report["privacy"].keys() == {"protects", "from_server", "epsilon", "delta", "releases"}
    assert (report["privacy"]["protects"], report["privacy"]["releases"]) == ("client", 3)
    assert report["privacy"]["from_server"] is ("--secure-aggregation" in words)
    accountant = RdpAccountant()
    for round_ in report["rounds"][1:]:
        accountant.compose(GaussianDpEvent(1.0))
        theirs = accountant.get_epsilon(report["privacy"]["delta"])
        assert round_["epsilon"] == pytest.approx(theirs, rel=0.01)
    assert report["privacy"]["epsilon"] == report["rounds"][-1]["epsilon"]


def test_local_privacy_is_told_for_each_round_and_hides_samples(tmp_path: Path) -> None:
    report = demo(tmp_path, "--dp-noise-multiplier")

    assert (report["privacy"]["protects"], report["privacy"]["from_server"]) == ("sample", True)
    epsilons = [round_["epsilon"] for round_ in report["rounds"][1:]]
    assert epsilons == sorted(set(epsilons))
    assert report["privacy"]["epsilon"] == epsilons[-1]


def test_the_attacks_are_carried_out_and_drawn(tmp_path: Path) -> None:
    module, name = the_command("bench.attacks")
    command = Command(
        f"{module} {name}", "--clients", "1", "--pictures", str(tmp_path / "pictures"), home=tmp_path
    )

    assert command.wait_for_exit(150) == 0, command
    assert "Membership inference" in command.output
    assert len(list((tmp_path / "pictures").iterdir())) == 4
