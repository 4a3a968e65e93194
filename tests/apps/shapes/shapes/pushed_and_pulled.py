"""Sends to each client as soon as that one has answered, with `push_messages` and `pull_messages`: the loop
of asynchronous strategies. Each client trains as often as there are rounds, whoever is faster."""

import time

from flwr.app import Array, ArrayRecord, Context, RecordDict
from flwr.serverapp import Grid, ServerApp

from shapes.task import TRAIN, initial_arrays, message, plain_client_app

client_app = plain_client_app()
server_app = ServerApp()


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    rounds = context.run_config["num-server-rounds"]
    # A model for each client, so that nothing depends on who is faster
    models = {node_id: initial_arrays() for node_id in grid.get_node_ids()}
    done = dict.fromkeys(models, 0)
    waiting = {send(grid, node_id, models[node_id], 1) for node_id in models}
    while waiting:
        for reply in grid.pull_messages(waiting):
            waiting.remove(reply.metadata.reply_to_message_id)
            node_id = reply.metadata.src_node_id
            done[node_id] += 1
            (point,) = reply.content["arrays"].to_numpy_ndarrays()
            models[node_id] = ArrayRecord({"0": Array(point)})
            if done[node_id] < rounds:
                waiting.add(send(grid, node_id, models[node_id], done[node_id] + 1))
        time.sleep(0.01)
    assert set(done.values()) == {rounds}


def send(grid: Grid, node_id: int, model: ArrayRecord, server_round: int) -> str:
    """Have one client train; the id of the message."""
    content = RecordDict({"arrays": model})
    (message_id,) = grid.push_messages([message(node_id, TRAIN, content, str(server_round))])
    return message_id
