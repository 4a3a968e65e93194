"""Takes replies by their index: Flower's federated-kaplan-meier-fitter."""

import numpy as np
from flwr.app import Array, ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp

from shapes.task import QUERY, examples, partition, target, to_all

client_app = ClientApp()
server_app = ServerApp()


@client_app.query()
def query(msg: Message, context: Context) -> Message:
    times = target(partition(context))
    data = ArrayRecord({"T": Array(times), "E": Array((times > 2).astype(np.int64))})
    metrics = MetricRecord({"num-examples": examples(partition(context))})
    return Message(RecordDict({"survival-data": data, "metrics": metrics}), reply_to=msg)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    for _ in range(context.run_config["num-server-rounds"]):
        replies = grid.send_and_receive(to_all(grid, QUERY))
        combined = replies[0].content["survival-data"]["T"].numpy()
        for reply in replies[1:]:
            combined = np.concatenate((combined, reply.content["survival-data"]["T"].numpy()))
        print("Last of", len(combined), "times:", replies[-1].metadata.src_node_id, max(combined))
