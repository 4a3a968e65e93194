"""`python -m app.backup FILE`: all that a server keeps in one encrypted file, also while the server runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from app.backups.making import make_backup
from app.backups.passphrase import add_passphrase_flag, passphrase
from app.store.flag import add_store_flag
from shared import paths
from shared.command import ends_in_words, run


@ends_in_words
def main(argv: Sequence[str] | None = None) -> int:
    """Make it, say what it holds, return the exit code: 0, or 1 with a message."""
    arguments = build_parser().parse_args(argv)
    secret = passphrase(arguments.passphrase_file, is_new=True)
    made = make_backup(paths.home_dir(), arguments.store, arguments.file, secret)
    print(f"{arguments.file}: {made.files:,} files, {made.bytes / 1e6:,.1f} MB.")
    print("Without the passphrase it is lost: keep that elsewhere than the file.")
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        prog="python -m app.backup",
        description="Write a server's database with its audit log, checkpoints, keys, and what else is in "
        "its folder (FEDLOOM_HOME) into one file, encrypted with a passphrase. The server may be "
        "running meanwhile. Data sets are not in it. `python -m app.restore` reads it.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a file that is not there yet")
    add_passphrase_flag(parser)
    add_store_flag(parser)
    return parser


if __name__ == "__main__":
    run(main)
