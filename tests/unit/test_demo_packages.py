"""What an app asks for and is not installed is named before it starts, with the command that installs it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from importlib.metadata import version

import pytest

from app.demo import packages
from app.demo.packages import Packages, compare_packages, install_command, words_of


@pytest.mark.parametrize(
    "dependency",
    [
        "numpy",
        "NumPy>=1.0",
        "flask_socketio",
        "flwr[simulation]>=1.20.0",
        "flwr",
        "no-such-package; python_version < '3'",
        "no-such-package; sys_platform == 'nowhere'",
        "numpy @ https://example.org/numpy.whl",
        f"torch=={version('torch').split('+')[0]}",
        "psycopg[binary]",
    ],
)
def test_what_is_there_needs_no_word(dependency: str) -> None:
    assert compare_packages([dependency]) == Packages()
    assert list(words_of(compare_packages([dependency]))) == []


@pytest.mark.parametrize(
    ("dependency", "named"),
    [
        ("no-such-package>=2", "no-such-package>=2"),
        ("no-such-package[extra]>=2; python_version > '3'", "no-such-package[extra]>=2"),
        ("requests[use-chardet-on-py3]", "requests[use-chardet-on-py3]"),
    ],
)
def test_what_is_missing_is_named_as_pip_takes_it(dependency: str, named: str) -> None:
    assert compare_packages([dependency]).missing == (named,)


def test_an_extra_counts_by_what_it_brings(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = ["always", 'not-here; extra == "more"', 'numpy; extra == "less"']
    monkeypatch.setattr(packages, "requires", lambda name: declared)

    assert compare_packages(["flask[more]"]).missing == ("flask[more]",)
    assert compare_packages(["flask[less]"]).missing == ()


def test_another_version_is_a_word_and_no_reason_to_install() -> None:
    found = compare_packages(["numpy<1"])

    assert found.missing == ()
    assert found.of_other_versions == (f"numpy<1 ({version('numpy')} is installed)",)
    (words,) = words_of(found)
    assert "other versions than FedLoom works with" in words
    assert "pip install" not in words


def test_what_cannot_be_read_is_named() -> None:
    found = compare_packages(["not a requirement", "numpy"])

    assert found.unreadable == ("not a requirement",)
    assert "not a requirement" in next(words_of(found))


def test_the_command_installs_into_this_python_and_leaves_fedlooms_versions() -> None:
    words = next(words_of(compare_packages(["no-such-package<3,>=2"])))
    command = shlex.split(words.splitlines()[-1])

    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    assert command[4] == "no-such-package<3,>=2"
    assert f"flwr=={version('flwr')}" in command[5:]
    assert f"torch=={version('torch')}" in command[5:]


def test_pip_takes_the_command() -> None:
    """`numpy` is there, so nothing is fetched or changed."""
    command = shlex.split(install_command(["numpy>=1"]))

    result = subprocess.run([*command, "--dry-run", "--no-index"], capture_output=True, text=True)

    assert result.returncode == 0, result.stderr
    assert "already satisfied" in result.stdout
