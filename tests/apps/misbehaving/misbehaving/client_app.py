"""misbehaving: A Flower app that does what an app should not do."""

from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from misbehaving.deeds import commit

app = ClientApp()


@app.train()
def train(msg: Message, context: Context):
    does = context.run_config["client-does"]
    if does and context.node_config["partition-id"] == 0 and msg.content["config"]["server-round"] == 2:
        print(f"now comes: {does}", flush=True)
        commit(does, context.run_config["cgroup"])
    arrays = ArrayRecord([array + 1 for array in msg.content["arrays"].to_numpy_ndarrays()])
    metrics = MetricRecord({"num-examples": 1, "train_loss": 0.5})
    return Message(RecordDict({"arrays": arrays, "metrics": metrics}), reply_to=msg)


@app.evaluate()
def evaluate(msg: Message, context: Context):
    return Message(
        RecordDict({"metrics": MetricRecord({"num-examples": 1, "eval_loss": 0.25})}), reply_to=msg
    )
