"""Makes a list of the replies to count them, then reads them again: Flower's federated-analytics."""

import json
from pathlib import Path

from flwr.app import ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp

from shapes.task import QUERY, partition, target, to_all

client_app = ClientApp()
server_app = ServerApp()


@client_app.query()
def query(msg: Message, context: Context) -> Message:
    values = target(partition(context))
    results = {}
    for feature in msg.content["config"]["selected_features"]:
        results[f"{feature}_mean_sum"] = float(values.sum())
        results[f"{feature}_mean_count"] = len(values)
    return Message(RecordDict({"query_results": MetricRecord(results)}), reply_to=msg)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    config = RecordDict({"config": ConfigRecord({"selected_features": ["age", "weight"]})})
    messages = to_all(grid, QUERY, config)

    replies = grid.send_and_receive(messages)
    print(f"Received {len(list(replies))}/{len(messages)} results")

    total = sum(reply.content["query_results"]["age_mean_sum"] for reply in replies)
    count = sum(reply.content["query_results"]["age_mean_count"] for reply in replies)
    statistics = {"age": {"mean": total / count}}
    print("FINAL AGGREGATED STATISTICS:", json.dumps(statistics))
    Path("aggregated_stats.json").write_text(json.dumps(statistics), encoding="utf-8")
