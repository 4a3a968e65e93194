"""Fails after its last round, as an app does that cannot write its results."""

from flwr.app import Context
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from shapes.task import initial_arrays, plain_client_app

client_app = plain_client_app()
server_app = ServerApp()


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    FedAvg().start(grid, initial_arrays(), num_rounds=context.run_config["num-server-rounds"])
    raise RuntimeError("the results cannot be saved")
