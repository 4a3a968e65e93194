"""The ServerApp evaluates the model itself, with `evaluate_fn`: quickstart-pytorch, custom-mods."""

from flwr.app import Context
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from shapes.task import global_evaluation, initial_arrays, plain_client_app

client_app = plain_client_app()
server_app = ServerApp()


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    FedAvg(fraction_evaluate=0.0).start(
        grid,
        initial_arrays(),
        num_rounds=context.run_config["num-server-rounds"],
        evaluate_fn=global_evaluation,
    )
