"""analyticsexample: A Flower app for federated analytics."""

import time

import numpy as np
from flwr.app import Context, Message, MessageType, RecordDict
from flwr.serverapp import Grid, ServerApp

# Create ServerApp
app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """This `ServerApp` constructs a histogram from partial histograms reported by the `ClientApp`s."""
    num_rounds = context.run_config["num-server-rounds"]
    min_nodes = 2

    for server_round in range(num_rounds):
        # Loop and wait until enough nodes are available.
        node_ids: list[int] = []
        while len(node_ids) < min_nodes:
            node_ids = list(grid.get_node_ids())
            if len(node_ids) < min_nodes:
                time.sleep(2)

        # Create messages
        messages = [
            Message(
                content=RecordDict(),
                message_type=MessageType.QUERY,
                dst_node_id=node_id,
                group_id=str(server_round),
            )
            for node_id in node_ids
        ]

        # Send messages and wait for all results
        replies = grid.send_and_receive(messages)

        # Aggregate partial histograms
        histogram = aggregate_partial_histograms(replies, context.run_config["bins"])
        print(f"Histogram of round {server_round}: {histogram.tolist()}, in all {histogram.sum()}")


def aggregate_partial_histograms(replies, bins: int):
    """Sum up the histograms of all replies."""
    total = np.zeros(bins, dtype=int)
    for reply in replies:
        if reply.has_error():
            continue
        total += np.array(reply.content["query_results"]["ages"])
    return total
