"""numpyexample: A Flower / NumPy app."""

from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from numpyexample.task import load_data, mean_squared_error
from numpyexample.task import train as train_fn

# Flower ClientApp
app = ClientApp()


@app.train()
def train(msg: Message, context: Context):
    """Train the model on local data."""

    # The model
    model = msg.content["arrays"].to_numpy_ndarrays()

    # The data
    features, targets, _, _ = load_data(context.node_config["partition-id"])

    # Train
    lr = msg.content["config"]["lr"]
    epochs = context.run_config["local-epochs"]
    model = train_fn(model, features, targets, epochs, lr)

    # Construct and return reply Message
    metrics = {
        "train_loss": mean_squared_error(model, features, targets),
        "lr": lr,
        "local-epochs": epochs,
        "num-examples": len(targets),
    }
    content = RecordDict({"arrays": ArrayRecord(model), "metrics": MetricRecord(metrics)})
    return Message(content=content, reply_to=msg)


@app.evaluate()
def evaluate(msg: Message, context: Context):
    """Evaluate the model on local data."""
    model = msg.content["arrays"].to_numpy_ndarrays()
    _, _, features, targets = load_data(context.node_config["partition-id"])
    metrics = {
        "eval_loss": mean_squared_error(model, features, targets),
        "num-examples": len(targets),
    }
    content = RecordDict({"metrics": MetricRecord(metrics)})
    return Message(content=content, reply_to=msg)
