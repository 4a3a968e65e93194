"""Limits its training by SIGALRM, which Python allows in the main thread only."""

import signal

from flwr.app import Context, Message
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from shapes.task import evaluated, initial_arrays, trained

client_app = ClientApp()
client_app.evaluate()(evaluated)
server_app = ServerApp()


def too_slow(number, frame):
    raise TimeoutError("the training took too long")


@client_app.train()
def train(msg: Message, context: Context) -> Message:
    before = signal.signal(signal.SIGALRM, too_slow)
    signal.alarm(60)
    try:
        return trained(msg, context)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    FedAvg().start(grid, initial_arrays(), num_rounds=context.run_config["num-server-rounds"])
