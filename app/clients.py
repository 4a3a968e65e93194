"""`python -m app.clients`: who may join this folder's server, and what an administrator decides on it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from app import offline
from app.audit.decided import Decision
from app.audit.entry import Kind
from app.enrolment.enrolment import EnrolmentRefused, NotKnown
from app.invite import add_store_flag
from app.running_server import RunningServer
from shared import paths
from shared.command import ends_in_words, run
from shared.security.key_id import KeyId

Json = dict[str, Any]

DONE = {
    "approve": "{name} is let in: it comes in by itself, within seconds.",
    "reject": "{name} is rejected.",
    "revoke": "{name} is revoked, and was cut off if it was connected.",
    "readmit": "{name} is admitted again. If it was told that it was revoked, start it again.",
}


@ends_in_words
def main(argv: Sequence[str] | None = None) -> int:
    """Do what is asked, return the exit code: 0, or 1 with a message."""
    arguments = build_parser().parse_args(argv)
    server = RunningServer.find(paths.home_dir())
    if arguments.command == "list":
        lines = _listed(server.get("/api/v1/clients")["clients"]) if server else _kept(arguments.store)
        print("\n".join(lines) if lines else "Nobody has joined, or waits to be let in.")
    elif server is not None:
        _decide(server, arguments.command, arguments.name, arguments.key)
    else:
        _decide_offline(arguments)
    return 0


def _listed(clients: list[Json]) -> list[str]:
    lines = []
    for client in clients:
        state = client["state"] if client["membership"] == "admitted" else client["membership"]
        key = KeyId.parse(client["key"]).short if client["key"] else "no key"
        lines.append(f"{client['id']:<24}  {state:<10}  {key}  {client['host']}")
        lines += [
            f"{'':<24}  {'asks':<10}  {KeyId.parse(other).short}  for this name"
            for other in client["waiting_keys"]
        ]
    return lines


def _kept(store_url: str | None) -> list[str]:
    with offline.enrolment_in(paths.home_dir(), store_url) as enrolment:
        return [
            f"{member.client_id:<24}  {member.state:<10}  {KeyId.parse(member.key).short}"
            for member in enrolment.members()
        ]


def _decide(server: RunningServer, command: str, name: str, chosen: str | None) -> None:
    """Have the server that runs do it."""
    known = {client["id"]: client for client in server.get("/api/v1/clients")["clients"]}
    if name not in known:
        raise NotKnown(f"There is no client {name!r}. `python -m app.clients list` shows all.")
    body: Json = {}
    if command != "revoke":
        key = _chosen_key(known[name], command, chosen)
        body = {} if key is None else {"key": key}
    server.post(f"/api/v1/clients/{name}/{command}", body)
    print(DONE[command].format(name=name))
    if "key" in body:
        print(f"Its key is {KeyId.parse(body['key']).short}: compare it with what the client has printed.")


def _chosen_key(client: Json, command: str, chosen: str | None) -> str | None:
    """The key that is meant, by its short form; None: the one that the client had."""
    asking: list[str] = list(client["waiting_keys"])
    if client["membership"] == "pending":
        asking.insert(0, client["key"])
    if chosen is not None:
        known = [*asking, client["key"]] if command == "readmit" and client["key"] else asking
        fitting: list[str] = [key for key in known if chosen.upper() in (KeyId.parse(key).short, key)]
        if len(fitting) == 1:
            return fitting[0]
        raise NotKnown(f"No key {chosen} asks for the name {client['id']!r} just now.")
    if command == "readmit":
        return None
    if not asking:
        raise EnrolmentRefused(f"{client['id']!r} does not wait to be let in: it is {client['membership']}.")
    if len(asking) > 1:
        short = ", ".join(KeyId.parse(key).short for key in asking)
        raise EnrolmentRefused(
            f"Several keys ask for the name {client['id']!r}: say which with --key: {short}."
        )
    return asking[0]


def _decide_offline(arguments: argparse.Namespace) -> None:
    if arguments.command in ("approve", "reject"):
        raise EnrolmentRefused("No server runs here, so nobody waits to be let in. Start it first.")
    with offline.deciding_in(paths.home_dir(), arguments.store) as deciding:
        if arguments.command == "revoke":
            member = deciding.enrolment.revoke(arguments.name)
            deciding.enter(Decision.on(Kind.CLIENT_REVOKED, member))
        elif arguments.key is None:
            deciding.enter(Decision.readmitted(*deciding.enrolment.readmit(arguments.name)))
        else:
            raise EnrolmentRefused("No server runs here, so no client asks with another key. Start it first.")
    print(DONE[arguments.command].format(name=arguments.name))


def build_parser() -> argparse.ArgumentParser:
    """The subcommands."""
    parser = argparse.ArgumentParser(
        prog="python -m app.clients",
        description="List the clients of the server that keeps its files here, and decide who may join. The "
        "server may be running or not.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    texts = {
        "list": "who has joined, who waits, and by which key",
        "approve": "let a client in that waits",
        "reject": "send a client away that waits",
        "revoke": "send a client away for good, also in the middle of a round",
        "readmit": "let one in again that was revoked or rejected, or that has lost its key",
    }
    for command, text in texts.items():
        subparser = commands.add_parser(command, help=text, description=text)
        add_store_flag(subparser)
        if command != "list":
            subparser.add_argument("name", metavar="CLIENT_ID")
        if command in ("approve", "reject", "readmit"):
            subparser.add_argument(
                "--key", help="the short or whole id of the key that asks, where there are several"
            )
        if command == "revoke":
            subparser.set_defaults(key=None)
    return parser


if __name__ == "__main__":
    run(main)
