"""The process of a simulation: `python -m app.federation.engines.simulation.process CHANNEL_FD LOG_FD
MEMORY_FD`, as a warden starts it; see `app.federation.engines.bridge`.
"""

from __future__ import annotations

import sys
from functools import partial

from app.federation.engines.bridge import Bridge, ending_the_process
from app.federation.engines.simulation.client_app import load
from shared.app_host.host import connections
from shared.app_host.log_socket import log_to
from shared.errors import FedLoomError
from shared.flower import node_id_of
from shared.flower_simulation import RayGrid
from shared.names import PARTS_IN_TURN

IDLE_S = 0.005

LETTERS_FOR_EACH = 8
"""Messages that are given to Ray at a time, for each worker: enough that none waits for the next."""


class WorkerDied(FedLoomError):
    """One of Ray's workers."""


def died(error: BaseException) -> None:
    """A worker is gone, and nobody knows with what: the process ends, with that as its last line."""
    with ending_the_process():
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise WorkerDied(f"A worker of Ray's died: {' '.join(lines)}"[:1000])


def main(arguments: list[str]) -> None:
    """See the module's docstring."""
    channel, log_socket = connections(arguments)
    with ending_the_process():
        begin = channel.receive().fields
        log_to(log_socket, role="client")
        bridge = Bridge(channel)
        bridge.listen()
        cpus = float(begin["cpus"])
        clients = {name: node_id_of(name) for name in map("simulated-{}".format, range(begin["clients"]))}
        grid = RayGrid(
            partial(load, begin["client_app"], threads=max(1, int(cpus))),
            {node_id: part for part, node_id in enumerate(clients.values())},
            {PARTS_IN_TURN: True},
            begin["run_config"],
            cpus=cpus,
            all_cpus=begin["all_cpus"],
            temporary=begin["temporary"],
            on_failure=died,
        )
        window = LETTERS_FOR_EACH * grid.workers
        bridge.serve(grid, lambda: clients, window=window, idle_s=IDLE_S)


if __name__ == "__main__":
    main(sys.argv[1:])
