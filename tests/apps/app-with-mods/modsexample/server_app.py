"""modsexample: A Flower app with client mods."""

import numpy as np
from flwr.app import ArrayRecord, Context
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

# Create ServerApp
app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Main entry point for the ServerApp."""
    strategy = FedAvg()
    result = strategy.start(
        grid=grid,
        initial_arrays=ArrayRecord([np.zeros(4), np.zeros((2, 2))]),
        num_rounds=context.run_config["num-server-rounds"],
    )
    norm = np.sqrt(sum(np.sum(array**2) for array in result.arrays.to_numpy_ndarrays()))
    print(f"Final model: norm {norm:.3f}")
