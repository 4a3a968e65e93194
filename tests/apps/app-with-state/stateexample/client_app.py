"""stateexample: A Flower app with stateful clients."""

from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

# Flower ClientApp
app = ClientApp()


@app.train()
def train(msg: Message, context: Context):
    """Train, and count the rounds in the context's state."""
    if "history" not in context.state:
        context.state["history"] = MetricRecord({"rounds": 0, "personal": [0.0]})
        context.state["layer"] = ArrayRecord(msg.content["arrays"].to_numpy_ndarrays())
    history = context.state["history"]
    history["rounds"] += 1
    history["personal"] = [*history["personal"], float(history["rounds"])]

    # A layer that never leaves the client
    layer = [array + 1 for array in context.state["layer"].to_numpy_ndarrays()]
    context.state["layer"] = ArrayRecord(layer)

    metrics = {
        "rounds-seen": history["rounds"],
        "layer-mean": float(layer[0].mean()),
        "train_loss": 1.0 / history["rounds"],
        "num-examples": 10,
    }
    content = RecordDict({"arrays": msg.content["arrays"], "metrics": MetricRecord(metrics)})
    return Message(content=content, reply_to=msg)


@app.evaluate()
def evaluate(msg: Message, context: Context):
    """Report what training has left in the state."""
    history = context.state["history"]
    metrics = {"remembered": len(history["personal"]), "num-examples": 10}
    content = RecordDict({"metrics": MetricRecord(metrics)})
    return Message(content=content, reply_to=msg)
