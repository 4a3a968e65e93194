"""Counts the replies, then reads them: Flower's quickstart-pandas, fedrag and quickstart-catboost."""

from logging import INFO

import numpy as np
from flwr.app import Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.common.logger import log
from flwr.serverapp import Grid, ServerApp

from shapes.task import QUERY, partition, target, to_all

client_app = ClientApp()
server_app = ServerApp()


@client_app.query()
def query(msg: Message, context: Context) -> Message:
    values = target(partition(context))
    counts, _ = np.histogram(values, bins=np.linspace(0.0, 8.0, 5))
    metrics = {"width": counts.tolist(), "width_avg": float(values.sum()), "width_count": len(values)}
    return Message(RecordDict({"query_results": MetricRecord(metrics)}), reply_to=msg)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    for server_round in range(context.run_config["num-server-rounds"]):
        messages = to_all(grid, QUERY, group=str(server_round))
        replies = grid.send_and_receive(messages)
        log(INFO, "Received %s/%s results", len(replies), len(messages))
        histogram, total = np.zeros(4), 0
        for reply in replies:
            histogram += np.array(reply.content["query_results"]["width"])
            total += reply.content["query_results"]["width_count"]
        assert histogram.sum() == total > 0
        log(INFO, "Aggregated histogram: %s", histogram.tolist())
