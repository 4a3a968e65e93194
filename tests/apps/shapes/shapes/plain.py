"""FedAvg and nothing else, as in Flower's quickstart-numpy; number of clients as they are."""

from flwr.app import Context
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from shapes.task import initial_arrays, plain_client_app

client_app = plain_client_app()
server_app = ServerApp()


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    result = FedAvg().start(grid, initial_arrays(), num_rounds=context.run_config["num-server-rounds"])
    print("Final model:", result.arrays.to_numpy_ndarrays())
