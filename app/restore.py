"""`python -m app.restore FILE FOLDER`: make a server's folder of a backup, and verify what is in it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from app.backups.passphrase import add_passphrase_flag, passphrase
from app.backups.restoring import Restored, restore
from shared.command import ends_in_words, run


@ends_in_words
def main(argv: Sequence[str] | None = None) -> int:
    """Restore, say what was found, return the exit code: 0, or 1 with a message."""
    arguments = build_parser().parse_args(argv)
    secret = passphrase(arguments.passphrase_file, is_new=False)
    restored = restore(arguments.file, arguments.folder, secret, arguments.store)
    print(f"{arguments.folder}: {restored.files:,} files, each as it was backed up.")
    _tell_of_audit(restored)
    print(
        "Start the server with FEDLOOM_HOME set to this folder. Never let it run beside the one that the "
        "backup was made of: they have one key, and would tell two stories."
    )
    return 0


def _tell_of_audit(restored: Restored) -> None:
    if restored.audit is None:
        print(f"warning: the audit log in it does not verify: {restored.objection}", file=sys.stderr)
        return
    print(f"The audit log verifies: {restored.audit.entries:,} entries of the server with the key")
    print(f"  {restored.audit.server}")


def build_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        prog="python -m app.restore",
        description="Restore what `python -m app.backup` has written into a folder that is empty or not "
        "there yet, and compare it with its digests. When anything is wrong, nothing is written.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the backup")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the server's folder from now on")
    add_passphrase_flag(parser)
    parser.add_argument(
        "--store",
        metavar="URL",
        help="an empty PostgreSQL database to restore the database into (a file in FOLDER)",
    )
    return parser


if __name__ == "__main__":
    run(main)
