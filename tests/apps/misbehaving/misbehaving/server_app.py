"""misbehaving: A Flower app that does what an app should not do."""

import numpy as np
from flwr.app import ArrayRecord, Context
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from misbehaving.deeds import commit

app = ServerApp()


class Misbehaving(FedAvg):
    """Does something before its second round."""

    def __init__(self, does: str, cgroup: str) -> None:
        super().__init__()
        self.does = does
        self.cgroup = cgroup

    def configure_train(self, server_round, arrays, config, grid):
        if server_round == 2 and self.does:
            print(f"now comes: {self.does}", flush=True)
            commit(self.does, self.cgroup)
        return super().configure_train(server_round, arrays, config, grid)


@app.main()
def main(grid: Grid, context: Context) -> None:
    config = context.run_config
    strategy = Misbehaving(config["server-does"], config["cgroup"])
    strategy.start(grid, ArrayRecord([np.zeros(1000)]), num_rounds=config["num-server-rounds"])
