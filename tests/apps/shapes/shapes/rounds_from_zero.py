"""Counts rounds from 0, and has the model and the numbers in a ConfigRecord: quickstart-catboost."""

import json

import numpy as np
from flwr.app import ConfigRecord, Context, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp

from shapes.task import TRAIN, loss, partition, step, to_all

client_app = ClientApp()
server_app = ServerApp()


@client_app.train()
def train(msg: Message, context: Context) -> Message:
    model, part = msg.content["gmodel"]["model"], partition(context)
    point = step(np.array(json.loads(model)) if model else np.zeros(5), part)
    record = {"AUC": 1 / (1 + loss(point, part)), "model_dict": json.dumps(point.tolist()).encode()}
    return Message(RecordDict({"metric_and_model": ConfigRecord(record)}), reply_to=msg)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    model = b""
    for server_round in range(context.run_config["num-server-rounds"]):
        content = RecordDict({"gmodel": ConfigRecord({"model": model})})
        messages = to_all(grid, TRAIN, content, str(server_round))
        replies = grid.send_and_receive(messages)
        assert len(replies) == len(messages)
        records = [reply.content["metric_and_model"] for reply in replies if reply.has_content()]
        points = [json.loads(record["model_dict"]) for record in records]
        model = json.dumps(np.mean(points, axis=0).tolist()).encode()
        print(f"Avg eval AUC: {np.mean([record['AUC'] for record in records]):.3f}")
