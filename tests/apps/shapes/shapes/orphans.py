"""Children that nobody ends: processes, or (`method`) the workers of a DataLoader that persist, as
quickstart-pytorch-lightning has workers. Their ids are in files in the folder that the run config names."""

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
kept = []


@client_app.train()
def train(msg: Message, context: Context) -> Message:
    match context.run_config["method"]:
        case "loader":
            from torch.utils.data import DataLoader

            loader = DataLoader(range(8), num_workers=2, persistent_workers=True)
            assert sum(int(batch) for batch in loader) == sum(range(8))
            kept.append(loader)
        case _:
            fork = multiprocessing.get_context("fork")
            fork.Process(target=time.sleep, args=(3600,)).start()
            fork.Process(target=time.sleep, args=(3600,)).start()
    pids = "".join(f"{child.pid}\n" for child in multiprocessing.active_children())
    (Path(context.run_config["folder"]) / f"{partition(context)}.pids").write_text(pids)
    return trained(msg, context)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    FedAvg().start(grid, initial_arrays(), num_rounds=context.run_config["num-server-rounds"])
