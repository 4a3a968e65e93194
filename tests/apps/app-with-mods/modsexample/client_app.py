"""modsexample: A Flower app with client mods."""

import numpy as np
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.clientapp.mod import arrays_size_mod

from modsexample.mods import clip_update_mod, count_mod

# Flower ClientApp
app = ClientApp(mods=[arrays_size_mod, count_mod])


@app.train(mods=[clip_update_mod])
def train(msg: Message, context: Context):
    """Move the model by 10 in every direction, of which the mod leaves less."""
    model = [array + 10 for array in msg.content["arrays"].to_numpy_ndarrays()]
    content = RecordDict(
        {
            "arrays": ArrayRecord(model),
            "metrics": MetricRecord({"train_loss": 1.0, "num-examples": 1}),
        }
    )
    return Message(content=content, reply_to=msg)


@app.evaluate()
def evaluate(msg: Message, context: Context):
    """How far from zero the model is."""
    model = msg.content["arrays"].to_numpy_ndarrays()
    norm = float(np.sqrt(sum(np.sum(array**2) for array in model)))
    content = RecordDict({"metrics": MetricRecord({"eval_loss": norm, "num-examples": 1})})
    return Message(content=content, reply_to=msg)
