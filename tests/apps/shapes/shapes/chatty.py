"""Takes the logging over, prints text of all kinds, and waits for clients by itself."""

import logging
import sys
import time

from flwr.app import Context, Message
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from shapes.task import evaluated, initial_arrays, trained

logging.basicConfig(level=logging.DEBUG, force=True, format="OWN FORMAT %(message)s")

client_app = ClientApp()
client_app.evaluate()(evaluated)
server_app = ServerApp()


@client_app.train()
def train(msg: Message, context: Context) -> Message:
    print("Training… 💡", flush=True)
    sys.stderr.write("a line on stderr\n")
    logging.getLogger("own").warning("a warning of the app")
    return trained(msg, context)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    while len(list(grid.get_node_ids())) < 2:
        time.sleep(0.1)
    FedAvg().start(grid, initial_arrays(), num_rounds=context.run_config["num-server-rounds"])
