"""What can go wrong at one client (`method`), the one of part 0, in round 1; in round 2 all is well."""

import os
import sys

from flwr.app import Context, Message
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from shapes.task import evaluated, initial_arrays, partition, trained

client_app = ClientApp()
client_app.evaluate()(evaluated)
server_app = ServerApp()


@client_app.train()
def train(msg: Message, context: Context):
    if msg.content["config"]["server-round"] > 1 or partition(context) > 0:
        return trained(msg, context)
    match context.run_config["method"]:
        case "abort":
            os.abort()
        case "exit":
            sys.exit(3)
        case "nothing":
            return None
        case "raise":
            raise ValueError("no data")
        case "hold":  # the GIL, for seconds: one call in C
            assert pow(7, 3_000_000) > 0
            return trained(msg, context)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    FedAvg(min_train_nodes=1).start(
        grid, initial_arrays(), num_rounds=context.run_config["num-server-rounds"]
    )
