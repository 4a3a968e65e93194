"""Starts a strategy, then another one with its result: pre-training and fine-tuning."""

from flwr.app import Context
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAdagrad, FedAvg

from shapes.task import initial_arrays, plain_client_app

client_app = plain_client_app()
server_app = ServerApp()


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    rounds = context.run_config["num-server-rounds"]
    first = FedAvg().start(grid, initial_arrays(), num_rounds=rounds)
    FedAdagrad().start(grid, first.arrays, num_rounds=rounds)
