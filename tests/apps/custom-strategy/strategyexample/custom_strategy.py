"""strategyexample: A Flower app with a custom strategy."""

from collections.abc import Iterable

from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAvg


class DecayingFedAvg(FedAvg):
    """FedAvg with a learning rate that decays, and with one step of server momentum."""

    def __init__(self, decay: float) -> None:
        super().__init__(fraction_train=1.0, fraction_evaluate=1.0)
        self.decay = decay
        self.best_loss = float("inf")

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Configure the next round of federated training."""
        # Decrease the learning rate
        if server_round > 1:
            config["lr"] *= self.decay
            print("LR decreased to:", config["lr"])
        # Pass the updated config and the rest of arguments to the parent class
        return super().configure_train(server_round, arrays, config, grid)

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Aggregate, and count the replies."""
        replies = list(replies)
        arrays, metrics = super().aggregate_train(server_round, replies)
        if metrics is not None:
            metrics["replies"] = len(replies)
        return arrays, metrics

    def aggregate_evaluate(self, server_round: int, replies: Iterable[Message]) -> MetricRecord | None:
        """Keep the best loss."""
        metrics = super().aggregate_evaluate(server_round, replies)
        if metrics is not None:
            self.best_loss = min(self.best_loss, metrics["eval_loss"])
        return metrics
