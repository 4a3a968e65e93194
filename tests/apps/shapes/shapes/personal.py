"""Each client keeps a part of the model to itself, in `Context.state`: advanced-pytorch, baseline fedbn."""

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context, Message
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from shapes.task import evaluated, initial_arrays, partition, target, trained

client_app = ClientApp()
server_app = ServerApp()


def control(context: Context) -> np.ndarray:
    """This client's control variate, zeros before its first training."""
    if "control" not in context.state:
        return np.zeros(5)
    return context.state["control"].to_numpy_ndarrays()[0]


@client_app.train()
def train(msg: Message, context: Context) -> Message:
    (point,) = msg.content["arrays"].to_numpy_ndarrays()
    kept = control(context) + 0.5 * (target(partition(context)) - point)
    context.state["control"] = ArrayRecord([kept])
    rounds = context.state.config_records.setdefault("seen", ConfigRecord({"rounds": 0}))
    rounds["rounds"] += 1
    return trained(msg, context, {"control": float(kept.sum()), "rounds-seen": rounds["rounds"]})


@client_app.evaluate()
def evaluate(msg: Message, context: Context) -> Message:
    return evaluated(msg, context, {"control": float(control(context).sum())})


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    FedAvg().start(grid, initial_arrays(), num_rounds=context.run_config["num-server-rounds"])
