"""Has the clients evaluate the initial model before the first round."""

from flwr.app import Context, RecordDict
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from shapes.task import EVALUATE, initial_arrays, plain_client_app, to_all

client_app = plain_client_app()
server_app = ServerApp()


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    arrays = initial_arrays()
    before = grid.send_and_receive(to_all(grid, EVALUATE, RecordDict({"arrays": arrays}), "0"))
    print("Before:", [reply.content["metrics"]["eval_loss"] for reply in before])
    FedAvg().start(grid, arrays, num_rounds=context.run_config["num-server-rounds"])
