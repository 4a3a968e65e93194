"""`python -m app.users`: users of the page, and tokens for programs. With a running server or without."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from app.auth.roles import Role
from app.auth.secret import new_secret
from app.auth.server_accounts import ListedToken, ServerAccounts, open_accounts
from app.running_server import RunningServer
from app.store.urls import default_url
from shared import paths
from shared.command import ends_in_words, run
from shared.errors import SettingsInvalid
from shared.variables import setting

DAY_S = 24 * 3_600.0


@ends_in_words
def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command, return the exit code: 0, or 1 with a message."""
    arguments = build_parser().parse_args(argv)
    home = paths.home_dir()
    with open_accounts(arguments.store or default_url(home), home) as accounts:
        _carry_out(arguments, accounts, home)
    return 0


def _carry_out(arguments: argparse.Namespace, accounts: ServerAccounts, home: Path) -> None:
    match arguments.command, getattr(arguments, "token_command", None):
        case "list", _:
            _print_table(("name", "role"), [(user.name, user.role) for user in accounts.users()])
        case "add", _:
            password = _password(arguments)
            accounts.add_user(arguments.name, arguments.role, password)
            print(f"{arguments.name} can log in as {arguments.role}.")
        case "password", _:
            accounts.change_user(arguments.name, password=_password(arguments))
            print(f"{arguments.name} has another password; whoever was logged in as that is not any more.")
        case "role", _:
            accounts.change_user(arguments.name, role=arguments.role)
            print(f"{arguments.name} is {arguments.role}.")
        case "remove", _:
            accounts.remove_user(arguments.name)
            print(f"{arguments.name} cannot log in any more.")
        case "token", "list":
            _print_table(("id", "label", "role", "until"), _rows_of(accounts.tokens()))
        case "token", "add":
            print(accounts.add_token(arguments.label, arguments.role, arguments.days * DAY_S))
        case "token", "revoke":
            accounts.remove_token(arguments.id)
            print(f"The token {arguments.id} lets nobody in any more.")
        case "link", _:
            print(_link(home))


def _link(home: Path) -> str:
    """The page's address with the key in it. Raises SettingsInvalid."""
    server = RunningServer.find(home)
    if server is None:
        raise SettingsInvalid(
            f"No server runs in {home.absolute()}. Start it, or set FEDLOOM_HOME to its folder."
        )
    return f"{server.url}/?token={server.key}"


def _password(arguments: argparse.Namespace) -> str:
    """Asked for at the terminal, read from standard input, or made up and shown. Raises SettingsInvalid."""
    if arguments.generate:
        made = new_secret()[:20]
        print(f"password: {made}")
        return made
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass(f"Password for {arguments.name}: ")
    if getpass.getpass("Once more: ") != first:
        raise SettingsInvalid("The two passwords differ, so nothing was changed.")
    return first


def _rows_of(tokens: list[ListedToken]) -> list[tuple[str, ...]]:
    return [(token.id, token.label, token.role, _date(token.expires_at)) for token in tokens]


def _date(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).date().isoformat()


def _print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def build_parser() -> argparse.ArgumentParser:
    """The commands and their flags."""
    parser = argparse.ArgumentParser(
        prog="python -m app.users",
        description="Users of the page and tokens for programs, of the server that keeps its files here "
        "(FEDLOOM_HOME). A viewer reads, an operator also runs, an admin also decides who may.",
    )
    parser.add_argument(
        "--store",
        metavar="URL",
        default=setting("FEDLOOM_STORE"),
        help="the server's --store (FEDLOOM_STORE, a file in FEDLOOM_HOME)",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="all users")
    add = commands.add_parser(
        "add", help="add a user; asks for the password, or reads it from standard input"
    )
    _add_name(add)
    _add_role(add)
    _add_generate(add)
    password = commands.add_parser("password", help="set a user's password, which ends the user's sessions")
    _add_name(password)
    _add_generate(password)
    role = commands.add_parser("role", help="give a user another role")
    _add_name(role)
    role.add_argument("role", choices=[*Role], type=Role)
    _add_name(commands.add_parser("remove", help="remove a user, with all sessions and tokens"))
    tokens = commands.add_parser("token", help="tokens for programs").add_subparsers(
        dest="token_command", required=True, metavar="COMMAND"
    )
    tokens.add_parser("list", help="all tokens")
    token = tokens.add_parser("add", help="make a token and print it, which cannot be done again later")
    token.add_argument("label", help="what it is for")
    _add_role(token)
    token.add_argument("--days", type=_days, default=90.0, help="how long it holds (%(default)g)")
    tokens.add_parser("revoke", help="revoke a token").add_argument("id", help="as `token list` has it")
    commands.add_parser("link", help="print the page's address with the key: who has it may do all")
    return parser


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the user's name")


def _add_role(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", choices=[*Role], type=Role, default=Role.VIEWER, help="(%(default)s)")


def _add_generate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--generate", action="store_true", help="make up a password, and print it")


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days <= 3_660:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 1 to 3660")
    return days


if __name__ == "__main__":
    run(main)
