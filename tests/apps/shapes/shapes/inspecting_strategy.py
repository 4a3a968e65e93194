"""A strategy that looks at each reply before FedAvg aggregates them."""

from collections.abc import Iterable

from flwr.app import ArrayRecord, Context, Message, MetricRecord
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from shapes.task import initial_arrays, plain_client_app


class Inspecting(FedAvg):
    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        for reply in replies:
            if reply.has_content():
                print("node", reply.metadata.src_node_id, reply.content["metrics"]["train_loss"])
        return super().aggregate_train(server_round, replies)

    def aggregate_evaluate(self, server_round: int, replies: Iterable[Message]) -> MetricRecord | None:
        best = min(reply.content["metrics"]["eval_loss"] for reply in replies)
        metrics = super().aggregate_evaluate(server_round, replies)
        if metrics is not None:
            metrics["best_loss"] = best
        return metrics


client_app = plain_client_app()
server_app = ServerApp()


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    Inspecting().start(grid, initial_arrays(), num_rounds=context.run_config["num-server-rounds"])
