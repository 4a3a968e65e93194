"""The process of a run on a SuperLink: `python -m app.federation.engines.superlink.process CHANNEL_FD LOG_FD
MEMORY_FD`, as a warden starts it; see `app.federation.engines.bridge`.

It submits the run, has itself given the task to carry out the run's ServerApp, and the token for that, which
nobody else ever has.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from app.federation.engines.bridge import Bridge, Clients, ending_the_process
from app.federation.engines.superlink.app_files import app_files
from app.federation.engines.superlink.attempt import Attempt
from app.federation.engines.superlink.heartbeat import beating
from shared.app_host.host import connections
from shared.app_host.log_socket import log_to
from shared.console import leave_requests_out
from shared.errors import FedLoomError
from shared.flower_superlink import REFUSED, Address, SuperLink, TokenGrid

IDLE_S = 0.5
"""SuperNodes themselves look every 3 s."""

TASK_S = 60.0
"""How long the SuperLink may take to hand the run's task out."""

ACQUIRE_S = 0.1
"""How often it is asked for that."""

WINDOW = 10_000

ROOT = Path(__file__).resolve().parents[4]


class SuperLinkFailed(FedLoomError):
    """Says what happened, and what to do."""


def main(arguments: list[str]) -> None:
    """See the module's docstring."""
    channel, log_socket = connections(arguments)
    with ending_the_process():
        begin = channel.receive().fields
        log_to(log_socket, role="client")
        leave_requests_out()
        address = address_of(begin)
        superlink = SuperLink(address)
        attempt = Attempt(superlink)
        bridge = Bridge(channel, on_end=attempt.end)
        bridge.listen()
        with attempt.until_its_end(), saying_what_failed(address.address):
            run_id = attempt.submit(app_files(ROOT, begin["client_app"], begin["run_config"]))
            grid = TokenGrid(address, token_of(superlink, run_id))
            try:
                attempt.begin(grid)
                carry(bridge, grid)
            except REFUSED as error:
                if (state := superlink.state_of(run_id)) == "running":
                    raise
                raise SuperLinkFailed(f"The run was ended at the SuperLink, where it is {state}.") from error


def carry(bridge: Bridge, grid: TokenGrid) -> None:
    """Carry the run's messages until FedLoom ends it."""
    with beating(grid.beat):
        bridge.serve(grid, lambda: clients_on(grid), window=WINDOW, idle_s=IDLE_S)


def address_of(begin: Mapping[str, Any]) -> Address:
    """Raises SuperLinkFailed for files that cannot be read."""
    try:
        certificates = begin["root_certificates"]
        secret = begin["secret_file"]
        return Address(
            begin["address"],
            begin["insecure"],
            None if certificates is None else Path(certificates).read_bytes(),
            b"" if secret is None else Path(secret).read_bytes(),  # as Flower: every byte counts
        )
    except OSError as error:
        raise SuperLinkFailed(f"{error.filename} cannot be read: {error.strerror}.") from error


def token_of(superlink: SuperLink, run_id: int) -> str:
    """The token of the run's ServerApp. Raises SuperLinkFailed if somebody else has it."""
    ends = time.monotonic() + TASK_S
    while time.monotonic() < ends:
        if (token := superlink.acquire(run_id)) is not None:
            return token
        if (state := superlink.state_of(run_id)) != "pending":
            break
        time.sleep(ACQUIRE_S)
    raise SuperLinkFailed(
        f"The SuperLink has not let FedLoom carry out the run's ServerApp: the run is {state} there. Start "
        "the SuperLink with --isolation process, and no flower-superexec beside it that takes ServerApps."
    )


def clients_on(grid: TokenGrid) -> Clients:
    """Who is there now."""
    return {f"supernode-{node_id}": node_id for node_id in sorted(grid.get_node_ids())}


@contextmanager
def saying_what_failed(address: str) -> Iterator[None]:
    """Raises SuperLinkFailed for what the SuperLink refuses, and where it cannot be reached."""
    try:
        yield
    except httpx.HTTPStatusError as error:
        said = " ".join(error.response.text.split())[:500]
        what = f"{error.request.url.path}, with status {error.response.status_code}"
        raise SuperLinkFailed(
            f"The SuperLink at {address} has refused {what}: {said or 'it says no more'}"
        ) from error
    except httpx.HTTPError as error:
        raise SuperLinkFailed(
            f"The SuperLink at {address} cannot be reached: {error}. Look whether it runs, whether "
            "--superlink names its HTTP port, and whether --superlink-insecure or "
            "--superlink-root-certificates fits it."
        ) from error


if __name__ == "__main__":
    main(sys.argv[1:])
