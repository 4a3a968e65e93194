"""`python -m app.audit`: export the audit log, verify an export, recompute what it says of models."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from app.audit.export import export
from app.audit.receipts import ReceiptFile
from app.audit.updates import UPDATES
from app.audit.verify import Verified, verify
from app.store.flag import add_store_flag
from shared import paths
from shared.command import ends_in_words, run
from shared.errors import FedLoomError
from shared.security.witness_file import WitnessFile, WitnessFileInvalid


class FileUnusable(FedLoomError):
    """A file cannot be read or written."""


@ends_in_words
def main(argv: Sequence[str] | None = None) -> int:
    """Do it, print what was found, return the exit code: 0, or 1 with what is wrong."""
    arguments = build_parser().parse_args(argv)
    try:
        for line in arguments.carry_out(arguments):
            print(line, flush=True)
    except OSError as error:
        raise FileUnusable(f"{error.filename or arguments.file}: {error.strerror or error}.") from error
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The three commands and their flags."""
    parser = argparse.ArgumentParser(
        prog="python -m app.audit",
        description="The audit log of a server: what happened, signed by the server and witnessed by its "
        "clients. A file is all that it takes to verify it.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    exporting = commands.add_parser(
        "export", help="write the log to a file; the server may be running meanwhile"
    )
    exporting.add_argument("file", type=Path, metavar="FILE")
    add_store_flag(exporting)
    exporting.set_defaults(carry_out=_export)
    verifying = commands.add_parser("verify", help="check every line, hash and signature of a file")
    replaying = commands.add_parser(
        "replay", help="verify a file, and recompute its models from the updates that were kept"
    )
    for command in (verifying, replaying):
        command.add_argument("file", type=Path, metavar="FILE")
        command.add_argument(
            "--witness",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="what a client has kept of the log (witness/CLIENT.json in its FEDLOOM_HOME): the file must "
            "hold all that it has seen; may be given several times",
        )
        command.add_argument(
            "--receipts",
            type=Path,
            nargs="+",
            action="extend",
            default=[],
            metavar="RECEIPTS",
            help="what clients keep of the server's word that it has accepted their replies "
            "(receipts/CLIENT.jsonl in their FEDLOOM_HOME): all of that must be in the file",
        )
    verifying.set_defaults(carry_out=_verify)
    replaying.add_argument(
        "--updates",
        type=Path,
        default=paths.home_dir() / UPDATES,
        metavar="DIR",
        help="where the updates are (updates in FEDLOOM_HOME)",
    )
    replaying.set_defaults(carry_out=_replay)
    return parser


def _export(arguments: argparse.Namespace) -> list[str]:
    count = export(arguments.store, arguments.file)
    return [f"{arguments.file}: {count:,} entries"]


def _verify(arguments: argparse.Namespace) -> list[str]:
    with arguments.file.open("rb") as file:
        receipts = [ReceiptFile.read(path) for path in arguments.receipts]
        return _words(verify(file, _witnesses(arguments.witness), receipts), len(arguments.witness))


def _replay(arguments: argparse.Namespace) -> list[str]:
    from app.audit.replay import replay  # only now: it imports Flower

    found = _verify(arguments)
    with arguments.file.open("rb") as file:
        return [*found, *replay(file, arguments.updates)]


def _witnesses(files: Sequence[Path]) -> list[WitnessFile]:
    found = []
    for path in files:
        witness = WitnessFile.read(path)
        if witness is None:
            raise WitnessFileInvalid(f"There is no file {path}.")
        found.append(witness)
    return found


def _words(verified: Verified, compared: int) -> list[str]:
    lines = [
        f"The audit log {verified.log.hex()} of the server with the key",
        f"  {verified.server}",
        "Compare that with the key in an invitation, or ask a client: it is the only thing to be believed.",
        f"{verified.entries:,} entries and {verified.checkpoints:,} checkpoints: all hashes and signatures "
        "are right.",
    ]
    for client, size in sorted(verified.witnesses.items()):
        lines.append(f"{client} has witnessed {size:,} of them.")
    if verified.unwitnessed:
        lines.append(f"For the last {verified.unwitnessed:,} the server alone vouches.")
    if compared:
        lines.append("All that the given witnesses have seen is in the file.")
    lines += verified.receipts
    return lines


if __name__ == "__main__":
    run(main)
