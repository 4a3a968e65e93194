"""Asks, then trains, and gives its messages no group: the rounds are seen from what happens only."""

from flwr.app import Context, Message, MetricRecord, RecordDict
from flwr.serverapp import Grid, ServerApp

from shapes.task import QUERY, TRAIN, initial_arrays, mean_of, partition, plain_client_app, to_all

client_app = plain_client_app()
server_app = ServerApp()


@client_app.query()
def query(msg: Message, context: Context) -> Message:
    return Message(RecordDict({"metrics": MetricRecord({"ready": 1 + partition(context)})}), reply_to=msg)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    arrays = initial_arrays()
    for _ in range(context.run_config["num-server-rounds"]):
        ready = [reply.content["metrics"]["ready"] for reply in grid.send_and_receive(to_all(grid, QUERY))]
        assert sum(ready) >= len(ready) > 0
        content = RecordDict({"arrays": arrays})
        arrays = mean_of(list(grid.send_and_receive(to_all(grid, TRAIN, content))))
