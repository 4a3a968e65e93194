"""A table of 80 structured columns as one array, whose NumPy header is over 1,000 characters long."""

import numpy as np
from flwr.app import Array, ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp

from shapes.task import QUERY, examples, partition, to_all

client_app = ClientApp()
server_app = ServerApp()


@client_app.query()
def query(msg: Message, context: Context) -> Message:
    columns = np.dtype([(f"a-column-with-a-long-name-{number:02}", np.float64) for number in range(80)])
    table = np.zeros(4, dtype=columns)
    table["a-column-with-a-long-name-79"] = 1 + partition(context)
    metrics = MetricRecord({"num-examples": examples(partition(context)), "last": float(table[0][79])})
    return Message(
        RecordDict({"table": ArrayRecord({"rows": Array(table)}), "metrics": metrics}), reply_to=msg
    )


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    replies = grid.send_and_receive(to_all(grid, QUERY, group="1"))
    for reply in replies:
        rows = reply.content["table"]["rows"].numpy()
        assert rows[0][79] == reply.content["metrics"]["last"]
