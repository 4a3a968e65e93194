"""A strategy with a `start` of its own, which keeps results in files: Flower's advanced-pytorch."""

import json
from pathlib import Path

from flwr.app import ConfigRecord, Context
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg, Result

from shapes.task import global_evaluation, initial_arrays, plain_client_app


class Saving(FedAvg):
    def start(self, grid, initial_arrays, num_rounds=3, timeout=3600, evaluate_fn=None, **_) -> Result:
        result, arrays = Result(), initial_arrays
        result.evaluate_metrics_serverapp[0] = evaluate_fn(0, arrays)
        for current_round in range(1, num_rounds + 1):
            replies = grid.send_and_receive(
                messages=self.configure_train(current_round, arrays, ConfigRecord({"lr": 0.1}), grid),
                timeout=timeout,
            )
            arrays, metrics = self.aggregate_train(current_round, replies)
            result.arrays, result.train_metrics_clientapp[current_round] = arrays, metrics
            replies = grid.send_and_receive(
                messages=self.configure_evaluate(current_round, arrays, ConfigRecord(), grid), timeout=timeout
            )
            result.evaluate_metrics_clientapp[current_round] = self.aggregate_evaluate(current_round, replies)
            result.evaluate_metrics_serverapp[current_round] = evaluate_fn(current_round, arrays)
            self.save(current_round, dict(metrics))
        return result

    def save(self, current_round: int, metrics) -> None:
        folder = Path.cwd() / "outputs"
        folder.mkdir(exist_ok=True)
        (folder / f"round-{current_round}.json").write_text(json.dumps(metrics), encoding="utf-8")


client_app = plain_client_app()
server_app = ServerApp()


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    Saving().start(
        grid=grid,
        initial_arrays=initial_arrays(),
        num_rounds=context.run_config["num-server-rounds"],
        evaluate_fn=global_evaluation,
    )
