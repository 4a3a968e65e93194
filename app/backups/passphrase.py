"""The passphrase of a backup: from a file, a terminal, or standard input."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path

from shared.errors import SettingsInvalid
from shared.security.files import NotOwn, read_own

FEWEST_CHARACTERS = 12
MAX_BYTES = 4096


def add_passphrase_flag(parser: argparse.ArgumentParser) -> None:
    """The flag that `passphrase` takes."""
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="its first line is the passphrase; without it, that is asked for, or read from standard input",
    )


def passphrase(file: Path | None, *, is_new: bool) -> str:
    """As it is given. `is_new`: it is to be chosen, not remembered. Raises SettingsInvalid."""
    given = _of_file(file) if file is not None else _asked_for(is_new)
    if is_new and len(given) < FEWEST_CHARACTERS:
        raise SettingsInvalid(
            f"The passphrase has {len(given)} characters, and {FEWEST_CHARACTERS} are the least: whoever "
            "finds the backup can try as many as the machines can do. Take some words that nobody "
            "can guess."
        )
    return given


def _of_file(file: Path) -> str:
    try:
        lines = read_own(file, MAX_BYTES).decode().splitlines()
    except NotOwn as error:
        raise SettingsInvalid(f"{file} is not used: it {error}. Run `chmod 600 {file}`.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"The passphrase cannot be read from {file}: {error}.") from error
    return lines[0] if lines else ""


def _asked_for(is_new: bool) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Passphrase of the backup: ")
    if is_new and getpass.getpass("Once more: ") != first:
        raise SettingsInvalid("The two passphrases differ, so no backup was made.")
    return first
