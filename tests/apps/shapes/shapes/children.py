"""Children by fork, one that is terminated and a pool of two: `num_proc=2` in whisper and quickstart-jax."""

import multiprocessing
import time

from flwr.app import Context, Message
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from shapes.task import evaluated, initial_arrays, trained

client_app = ClientApp()
client_app.evaluate()(evaluated)
server_app = ServerApp()


def square(number: int) -> int:
    return number * number


@client_app.train()
def train(msg: Message, context: Context) -> Message:
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=time.sleep, args=(600,))
    child.start()
    child.terminate()
    child.join()
    with fork.Pool(2) as pool:
        squares = pool.map(square, range(8))
    return trained(msg, context, {"squares": sum(squares), "ended": int(child.exitcode != 0)})


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    FedAvg().start(grid, initial_arrays(), num_rounds=context.run_config["num-server-rounds"])
