"""Numbers of many kinds: per cent, AUC (quickstart-xgboost), reward, RMSE, `val_loss` in replies to training
(quickstart-pennylane, fl-dp-sa), the same name in both stages (quickstart-mlx), more than 64, lists."""

from flwr.app import Context, Message
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from shapes.task import evaluated, initial_arrays, partition, trained

client_app = ClientApp()
server_app = ServerApp()


@client_app.train()
def train(msg: Message, context: Context) -> Message:
    part = partition(context)
    return trained(
        msg,
        context,
        {
            "loss": 3.0 + part,
            "accuracy": 0.4 + 20.0 * part,
            "val_loss": 2.0 + part,
            "epsilon": 1.5 + part,
            "precision_per_class": [0.5, 0.25 * part],
        },
    )


@client_app.evaluate()
def evaluate(msg: Message, context: Context) -> Message:
    part = partition(context)
    many = {f"metric-{number:02}": number + part / 8 for number in range(80)}
    named = {
        "loss": 1.0 + part,
        "accuracy": 71.5 + part,
        "auc": 0.8 + part / 16,
        "reward": -12.5 * (1 + part),
        "RMSE": 4.25 + part,
    }
    return evaluated(msg, context, {**named, **many})


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    FedAvg().start(grid, initial_arrays(), num_rounds=context.run_config["num-server-rounds"])
