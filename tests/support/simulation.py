"""`python -m tests.support.simulation CLIENTS SPEC`: FedLoom's two Flower apps on Flower's simulation engine.

`run_simulation` has no parameter for the run config that `flwr run` takes from pyproject.toml, so both apps
are wrapped to get it. Flower's log, with what the apps write to it, goes to stderr.
"""

from __future__ import annotations

import sys

from flwr.app import Context, Message
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.simulation import run_simulation

from app.federation import server_app
from app.federation.spec import RunSpec
from client import fl_client


def simulate(clients: int, spec: RunSpec) -> None:
    """Run the spec with so many virtual clients."""
    config = spec.to_run_config()
    outer_server, outer_client = ServerApp(), ClientApp()

    @outer_server.main()
    def serve(grid: Grid, context: Context) -> None:
        context.run_config = config
        server_app.app(grid, context)

    @outer_client.train()
    @outer_client.evaluate()
    def answer(message: Message, context: Context) -> Message:
        # A copy: the engine insists that the context comes back with the config that it went out with.
        mine = Context(context.run_id, context.node_id, context.node_config, context.state, config)
        return fl_client.app(message, mine)

    run_simulation(
        server_app=outer_server,
        client_app=outer_client,
        num_supernodes=clients,
        backend_config={
            "client_resources": {"num_cpus": 1, "num_gpus": 0.0},
            "init_args": {"num_cpus": 1, "include_dashboard": False},
        },
    )


if __name__ == "__main__":
    simulate(int(sys.argv[1]), RunSpec.model_validate_json(sys.argv[2]))
