"""Two messages to train in each round, the second answered without numbers."""

from flwr.app import ConfigRecord, Context, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp

from shapes.task import TRAIN, initial_arrays, mean_of, to_all, trained

client_app = ClientApp()
server_app = ServerApp()


@client_app.train()
def train(msg: Message, context: Context) -> Message:
    if msg.content["config"]["stage"] == "head":
        return trained(msg, context)
    return Message(RecordDict(), reply_to=msg)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    arrays = initial_arrays()
    for server_round in range(1, context.run_config["num-server-rounds"] + 1):
        for stage in ("head", "body"):
            content = RecordDict({"arrays": arrays, "config": ConfigRecord({"stage": stage})})
            replies = grid.send_and_receive(to_all(grid, TRAIN, content, str(server_round)))
            if stage == "head":
                arrays = mean_of(replies)
