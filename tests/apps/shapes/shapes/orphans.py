"""Children that nobody ends, as the workers of a DataLoader that persist. Their process ids are in files in
the folder that the run config names."""

import multiprocessing
import time
from pathlib import Path

from flwr.app import Context, Message
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from shapes.task import evaluated, initial_arrays, partition, trained

client_app = ClientApp()
client_app.evaluate()(evaluated)
server_app = ServerApp()


@client_app.train()
def train(msg: Message, context: Context) -> Message:
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(3600,))
    child.start()
    with (Path(context.run_config["folder"]) / f"{partition(context)}.pids").open("a") as file:
        file.write(f"{child.pid}\n")
    return trained(msg, context)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    FedAvg().start(grid, initial_arrays(), num_rounds=context.run_config["num-server-rounds"])
