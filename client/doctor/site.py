"""What the client was given: its invitation, its policy, its data or its app."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from client.cli import given_invitation, given_policy
from client.known_server import MemoryUnusable
from client.ledger.account import account_of
from client.ledger.ledger import Ledger, LedgerUnusable
from client.membership import WayIn
from client.site.policy import BUILT_IN, FILE_NAME, Policy, PolicyInvalid
from shared import paths
from shared.doctor import installed
from shared.errors import AppInvalid, DataFileUnusable, SettingsInvalid
from shared.finding import Finding, ok, problem, warning
from shared.flower_app import FlowerApp, read_app
from shared.names import DatasetName
from shared.result_file import try_to_write
from shared.security.invitation import InvitationInvalid
from shared.security.server_identity import local_invitation

DOWNLOADED_MB = MappingProxyType({"mnist": 70, "fashion-mnist": 90, "cifar10": 350})
"""What the files of a data set take, packed and unpacked."""


def way_in(arguments: argparse.Namespace, home: Path) -> tuple[Finding, WayIn | None]:
    """By what the client would join, and where; None: nobody knows that."""
    try:
        given = given_invitation(arguments)
        way = WayIn.find(home, arguments.client_id, arguments.server, given)
        return _invitation(way), way
    except InvitationInvalid as error:
        return problem("invitation", str(error), "Ask whoever runs the server for another one."), None
    except MemoryUnusable as error:
        return problem("invitation", str(error)), None
    except SettingsInvalid as error:  # what names a proxy
        return problem("proxy", str(error)), None


def _invitation(way: WayIn) -> Finding:
    found = way.invitation()
    if found is None:
        return problem(
            "invitation",
            f"None is given, and no server of this user's has left one in {way.home.absolute()}.",
            "Give --invite with what `python -m app.invite` prints at the server.",
        )
    key = "key " + " or ".join(f"{pin.short}…" for pin in way.pins(found))
    if way.given is not None:
        return ok("invitation", f"to the server at {found.address}, {key}")
    local = local_invitation(way.home)
    if local is not None and local.key == found.key:
        return ok("invitation", f"that of a server of this user's on this machine, {key}")
    return ok("invitation", f"none is needed: it has joined the server at {found.address} before, {key}")


def policy(home: Path, file: Path | None, budget: float | None = None) -> tuple[Finding, Policy | None]:
    """What the site accepts."""
    try:
        read = given_policy(home, file, budget)
    except PolicyInvalid as error:
        return problem("policy", str(error)), None
    if not read.rules:
        return ok("policy", f"none: no {FILE_NAME} in FEDLOOM_HOME, so every run is accepted"), read
    return ok("policy", str(read)), read


def app(folder: Path, accepted: Policy | None) -> Finding:
    """Whether another Flower app is in a folder, and may run."""
    try:
        found = read_app(folder)
    except AppInvalid as error:
        return problem("app", f"{folder}: {error}")
    return _accepted(f"{found.name} {found.version}, SHA-256 {found.digest}", found, accepted)


def built_in_app(arguments: argparse.Namespace, home: Path, accepted: Policy | None) -> Iterator[Finding]:
    """Whether the built-in app may run, and has what it needs."""
    dataset = arguments.dataset or DatasetName.DIGITS
    yield _accepted("the built-in one", None, accepted)
    pytorch = installed.of_the_built_in_app()
    yield pytorch
    if not pytorch.is_problem:
        yield privacy(dataset, home, accepted or Policy())
        yield from data(dataset, arguments.data_dir or paths.data_dir())


def privacy(dataset: str, home: Path, accepted: Policy) -> Finding:
    """What was spent of a data set's privacy, and what is left."""
    try:
        entries = Ledger(home, dataset).entries()
    except LedgerUnusable as error:
        return problem("privacy", str(error))
    account = account_of(dataset, entries, accepted.budget_for(dataset))
    if account.left == 0:
        return warning("privacy", f"{dataset}: {account}.", "Private rounds are declined.")
    if not entries and account.budget is None:
        return ok("privacy", f"{dataset}: nothing is spent, and there is no budget")
    return ok("privacy", f"{dataset}: {account}")


def data(dataset: str, folder: Path) -> Iterator[Finding]:
    """Whether a data set of the built-in app is there, or can be fetched."""
    if (megabytes := DOWNLOADED_MB.get(dataset)) is None:
        yield ok("data", f"{dataset} needs no file")
        return
    from shared.data.datasets import is_here  # only now: it imports PyTorch

    try:
        if is_here(dataset, folder):
            yield ok("data", f"{dataset} is in {folder}")
            return
    except DataFileUnusable as error:
        yield problem(
            "data",
            f"{error}.",
            "Delete the file to have it downloaded again, or name the right folder with --data-dir.",
        )
        return
    yield _download(dataset, folder, megabytes)


def _download(dataset: str, folder: Path, megabytes: int) -> Finding:
    other = "Name a folder that has it with --data-dir or FEDLOOM_DATA_DIR"
    try:
        try_to_write(folder / dataset)
    except OSError as error:
        words = f"{dataset} is not in {folder}, where nothing can be written ({error.strerror or error})."
        return problem("data", words, f"{other}.")
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free / 1e6
    if free < megabytes:
        words = f"{dataset} is not in {folder}, and {free:.0f} of about {megabytes} MB are free there."
        return problem("data", words, f"{other}, or make room.")
    return warning(
        "data",
        f"{dataset} is not in {folder}: about {megabytes} MB are downloaded at the first start.",
        f"{other} if this machine may not.",
    )


def _accepted(words: str, found: FlowerApp | None, accepted: Policy | None) -> Finding:
    name = BUILT_IN if found is None else found.digest
    if accepted is not None and accepted.apps is not None and name not in accepted.apps:
        return problem("app", f"{words}.", f"It is not among apps in the policy: add {name!r} to accept it.")
    return ok("app", words)
