"""`python -m mesh doctor`: whether a node works here, and what is wrong, in words. It changes nothing."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from mesh.commands.command import Command, no_flags, node_folder
from mesh.control import Json, NodeNotRunning, NodeRefused, ask
from mesh.discovery.interfaces import default_address, is_loopback
from mesh.trust.store import FILE
from shared import paths
from shared.address import parse_address
from shared.doctor.report import report
from shared.finding import Finding, ok, problem, warning
from shared.security.client_key import key_file
from shared.security.keys import KeyPair, KeyUnusable


def _carry_out(arguments: argparse.Namespace) -> int:
    return report(findings(arguments), sound="The node works.", broken="The node does not work")


def findings(arguments: argparse.Namespace) -> Iterator[Finding]:
    """What is found, one check after the other."""
    folder = node_folder(arguments)
    yield _key(folder.name)
    yield _network()
    try:
        status = ask(folder, "status")
    except NodeNotRunning as error:
        yield problem("node", str(error))
        return
    except NodeRefused as error:
        yield problem("node", str(error), "Its log says more.")
        return
    yield ok("node", f"runs, and listens at {', '.join(status['addresses'])}")
    if all(is_loopback(parse_address(text).host) for text in status["addresses"]):
        yield warning("address", "Nodes on other machines cannot reach it.", "Start it without --mesh-host.")
    yield from _members(folder, status)


def _key(name: str) -> Finding:
    path = key_file(paths.home_dir(), name)
    if not path.exists():
        return ok("key", f"{name} has none yet: it is made at the first start")
    try:
        return ok("key", f"{name} has the key {KeyPair.load_or_make(path).public.id}")
    except KeyUnusable as error:
        return problem("key", str(error))


def _network() -> Finding:
    address = default_address()
    if address is not None:
        return ok("network", f"{address} is this machine's address on the way to everywhere else")
    return warning(
        "network",
        "This machine has no default route, so members on the same network are not looked for.",
        "Name the interface with --mesh-interface.",
    )


def _members(folder: Path, status: Json) -> Iterator[Finding]:
    peers = status["peers"]
    away = [peer["name"] for peer in peers if peer["state"] not in ("online", "rejoined")]
    if not peers:
        todo = "Pair it with another node: `python -m mesh invite` there or here."
        yield warning("members", f"Nobody is a member: {folder / FILE} has none.", todo)
    elif len(away) == len(peers):
        yield problem(
            "members",
            f"None of {len(peers)} is reached: {', '.join(sorted(away)[:10])}.",
            "Do they run, and is the way to at least one of their ports open? --mesh-join names an address.",
        )
    else:
        words = f"{len(peers) - len(away)} of {len(peers)} are reached"
        yield (
            ok("members", words)
            if not away
            else warning("members", f"{words}; not: {', '.join(sorted(away)[:10])}.")
        )
    if refused := {reason: count for reason, count in status["refused"].items() if reason == "stranger"}:
        yield warning(
            "strangers",
            f"{refused['stranger']:,} connections of nodes that are not trusted here were refused.",
            "Pair those that are meant.",
        )


COMMAND = Command("doctor", "whether the node works, and what is wrong", no_flags, _carry_out)
