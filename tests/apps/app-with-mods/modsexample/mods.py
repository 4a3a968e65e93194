"""modsexample: A Flower app with client mods."""

import numpy as np
from flwr.app import ArrayRecord, Context, Message
from flwr.clientapp.typing import ClientAppCallable


def clip_update_mod(msg: Message, context: Context, call_next: ClientAppCallable) -> Message:
    """Bound the L2 norm of what the client changes in the model."""
    before = msg.content["arrays"].to_numpy_ndarrays()

    # Call the inner app
    reply = call_next(msg, context)

    after = reply.content["arrays"].to_numpy_ndarrays()
    update = [new - old for new, old in zip(after, before, strict=True)]
    norm = float(np.sqrt(sum(np.sum(part**2) for part in update)))
    factor = min(1.0, context.run_config["clipping-norm"] / norm)
    reply.content["arrays"] = ArrayRecord(
        [old + factor * part for old, part in zip(before, update, strict=True)]
    )
    reply.content["metrics"]["update-norm"] = norm
    return reply


def count_mod(msg: Message, context: Context, call_next: ClientAppCallable) -> Message:
    """Say in the reply that this mod was there."""
    reply = call_next(msg, context)
    reply.content["metrics"]["mods"] = 2
    return reply
