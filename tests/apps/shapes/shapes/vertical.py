"""Embeddings are asked for, gradients sent back, and nobody waits for the answers to those: vertical-fl."""

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp

from shapes.task import partition, target, to_all

client_app = ClientApp()
server_app = ServerApp()


def weights(context: Context) -> np.ndarray:
    """This client's model."""
    model = context.state.get("model")
    return np.ones(5) if model is None else model.to_numpy_ndarrays()[0]


@client_app.query("generate_embeddings")
def embed(msg: Message, context: Context) -> Message:
    embedding = ArrayRecord({"embedding": Array(weights(context) * target(partition(context)))})
    config = ConfigRecord({"pos": partition(context)})
    return Message(RecordDict({"arrays": embedding, "config": config}), reply_to=msg)


@client_app.train("apply_gradients")
def apply(msg: Message, context: Context) -> Message:
    gradient = msg.content["gradients"]["local-gradients"].numpy()
    context.state["model"] = ArrayRecord([weights(context) - 0.1 * gradient])
    return Message(RecordDict(), reply_to=msg)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    for server_round in range(1, context.run_config["num-server-rounds"] + 1):
        messages = to_all(grid, "query.generate_embeddings")
        replies = grid.send_and_receive(messages)
        assert len(replies) == len(messages)
        embeddings = {
            reply.metadata.src_node_id: reply.content["arrays"]["embedding"].numpy() for reply in replies
        }
        total = sum(embeddings[node_id] for node_id in sorted(embeddings))
        print(f"Round {server_round}, loss: {float(np.mean(total**2)):.6f}")
        gradients = to_all(
            grid,
            "train.apply_gradients",
            RecordDict({"gradients": ArrayRecord({"local-gradients": Array(total)})}),
        )
        grid.push_messages(gradients)
