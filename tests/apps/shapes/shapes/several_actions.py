"""Messages of one type for several functions of the ClientApp, told apart by a suffix (`train.setup`)."""

from flwr.app import Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp

from shapes.task import evaluated, initial_arrays, mean_of, partition, to_all, trained

client_app = ClientApp()
server_app = ServerApp()


@client_app.train("setup")
def setup(msg: Message, context: Context) -> Message:
    return Message(RecordDict({"metrics": MetricRecord({"keys": 3 + partition(context)})}), reply_to=msg)


@client_app.train("fit")
def fit(msg: Message, context: Context) -> Message:
    return trained(msg, context)


@client_app.evaluate("holdout")
def holdout(msg: Message, context: Context) -> Message:
    return evaluated(msg, context)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    arrays = initial_arrays()
    for server_round in range(1, context.run_config["num-server-rounds"] + 1):
        group = str(server_round)
        list(grid.send_and_receive(to_all(grid, "train.setup", group=group)))
        replies = grid.send_and_receive(to_all(grid, "train.fit", RecordDict({"arrays": arrays}), group))
        arrays = mean_of(replies)
        list(grid.send_and_receive(to_all(grid, "evaluate.holdout", RecordDict({"arrays": arrays}), group)))
