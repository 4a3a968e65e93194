"""analyticsexample: A Flower app for federated analytics."""

import numpy as np
from flwr.app import Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

# Flower ClientApp
app = ClientApp()


@app.query()
def query(msg: Message, context: Context):
    """Answer the query with a histogram, never with the values."""
    rng = np.random.default_rng(context.node_config["partition-id"])
    ages = rng.normal(50, 10, size=100)
    counts, _ = np.histogram(ages, bins=context.run_config["bins"], range=(0, 100))
    results = {
        "ages": counts.tolist(),
        "mean-age": float(ages.mean()),
        "num-examples": len(ages),
    }
    reply_content = RecordDict({"query_results": MetricRecord(results)})
    return Message(reply_content, reply_to=msg)
