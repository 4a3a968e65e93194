"""The commands that a server shows to people: how one more client joins, how results are exported."""

from __future__ import annotations

from collections.abc import Container
from itertools import count

from app.store.urls import default_url, display_url
from shared import paths
from shared.address import ANY_ADDRESS, Address
from shared.names import DEFAULT_LINK_PORT
from shared.shell import shell_quoted

FOUND_BY_DEFAULT = frozenset({"127.0.0.1", "localhost"})
"""Hosts at which a client of this machine looks by itself."""


def join_command(link: Address, taken: Container[str], what: str) -> str:
    """`taken`: the names of the clients that there are; `what`: the flag for what a client runs."""
    name = next(name for number in count(1) if (name := f"client-{number}") not in taken)
    command = f"python run_client.py --client-id {name} {what}"
    host, port = link
    if host in FOUND_BY_DEFAULT and port == DEFAULT_LINK_PORT:
        return command
    return f"{command} --server {Address('<this-host>' if host in ANY_ADDRESS else host, port)}"


def join_command_elsewhere(invitation: str, what: str, *, mesh: bool) -> str:
    """The same for another machine, by an invitation. `mesh`: and to take part in the mesh."""
    command = f"python run_client.py --client-id NAME {what} --invite {shell_quoted(invitation)}"
    return f"{command} --enable-mesh" if mesh else command


def export_command(store_url: str) -> str:
    """It works in a terminal where nothing is set, whatever this server's environment has."""
    if store_url == default_url(paths.DEFAULT_HOME):
        return "python -m app.export"
    return f"python -m app.export --store {shell_quoted(display_url(store_url))}"
