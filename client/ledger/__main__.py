"""`python -m client.ledger`: what the clients of this folder have spent of each data set, and what is left.

It only reads, so that clients may run meanwhile.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from client.ledger.account import Account, RunAccount, account_of
from client.ledger.entry import Entry
from client.ledger.export import export
from client.ledger.ledger import Ledger, LedgerUnusable, datasets_in
from client.site.policy import read_policy
from shared import paths
from shared.errors import FedLoomError
from shared.security.files import write_whole

Book = tuple[Account, Sequence[Entry]]


def main(argv: Sequence[str] | None = None) -> int:
    """Show or export, return the exit code: 0, or 1 with a message."""
    arguments = build_parser().parse_args(argv)
    home = paths.home_dir()
    problems: list[LedgerUnusable] = []
    try:
        books = list(_books(home, arguments.policy, problems))
        if arguments.command == "export":
            _export(books, arguments.file)
        else:
            _show(books, home, has_problems=bool(problems))
    except FedLoomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"error: {arguments.file} cannot be written: {error.strerror or error}. Name another file.",
            file=sys.stderr,
        )
        return 1
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


def build_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        prog="python -m client.ledger",
        description="Show what the clients of this folder (FEDLOOM_HOME) have spent of each data set in runs "
        "with differential privacy, and what is left. Clients may run meanwhile.",
    )
    parser.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help="the policy with the budget; client.toml in FEDLOOM_HOME, if it is there",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("show", help="what is spent and left, by run (this is done without a command, too)")
    exporting = commands.add_parser("export", help="write all entries to a file")
    exporting.add_argument("file", type=Path, metavar="FILE", help="a name that ends in .json or .csv")
    return parser


def _books(home: Path, policy_file: Path | None, problems: list[LedgerUnusable]) -> Iterator[Book]:
    """Of each data set. One that cannot be read is told after all that can."""
    policy = read_policy(home, policy_file)
    for dataset in datasets_in(home):
        try:
            entries = Ledger(home, dataset).entries()
        except LedgerUnusable as error:
            problems.append(error)
        else:
            yield account_of(dataset, entries, policy.budget_for(dataset)), entries


def _show(books: Sequence[Book], home: Path, *, has_problems: bool) -> None:
    for account, _ in books:
        print(f"{account.dataset}: {account}, by {_counted(account.updates, 'update')}")
        for run in account.runs:
            print(f"  {_of_run(run)}")
    if not books and not has_problems:
        print(f"Nothing has been spent by the clients of {home.absolute()}.")


def _of_run(run: RunAccount) -> str:
    at = datetime.fromtimestamp(run.last).astimezone().strftime("%Y-%m-%d %H:%M")
    amount = f"{_counted(run.updates, 'update')} in {_counted(run.rounds, 'round')}"
    return f"run {run.run}  until {at}  epsilon {run.epsilon:.2f}  {amount} by {', '.join(run.clients)}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _export(books: Sequence[Book], file: Path) -> None:
    write_whole(file, export(books, file).encode())
    print(file)


if __name__ == "__main__":
    sys.exit(main())
