"""strategyexample: A Flower app with a custom strategy."""

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context
from flwr.serverapp import Grid, ServerApp

from strategyexample.custom_strategy import DecayingFedAvg

# Create ServerApp
app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Main entry point for the ServerApp."""
    strategy = DecayingFedAvg(decay=context.run_config["lr-decay"])
    strategy.start(
        grid=grid,
        initial_arrays=ArrayRecord([np.zeros(5)]),
        train_config=ConfigRecord({"lr": context.run_config["learning-rate"]}),
        num_rounds=context.run_config["num-server-rounds"],
    )
    print(f"Best loss: {strategy.best_loss:.4f}")
