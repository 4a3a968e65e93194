"""SecAgg+ in the older style, with its workflow and its mod: flower-secure-aggregation, fl-dp-sa."""

from flwr.client import ClientApp, NumPyClient
from flwr.client.mod import secaggplus_mod
from flwr.common import Context, ndarrays_to_parameters
from flwr.server import Grid, LegacyContext, ServerApp, ServerConfig
from flwr.server.strategy import FedAvg
from flwr.server.workflow import DefaultWorkflow, SecAggPlusWorkflow

from shapes.task import examples, initial_arrays, loss, partition, step


class Client(NumPyClient):
    def __init__(self, part: int) -> None:
        self.part = part

    def fit(self, parameters, config):
        return [step(parameters[0], self.part)], examples(self.part), {}

    def evaluate(self, parameters, config):
        value = loss(parameters[0], self.part)
        return value, examples(self.part), {"accuracy": 1 / (1 + value)}


def weighted_average(metrics):
    total = sum(count for count, _ in metrics)
    return {"accuracy": sum(count * values["accuracy"] for count, values in metrics) / total}


client_app = ClientApp(
    client_fn=lambda context: Client(partition(context)).to_client(), mods=[secaggplus_mod]
)
server_app = ServerApp()


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    strategy = FedAvg(
        initial_parameters=ndarrays_to_parameters(initial_arrays().to_numpy_ndarrays()),
        evaluate_metrics_aggregation_fn=weighted_average,
    )
    legacy = LegacyContext(
        context=context,
        config=ServerConfig(num_rounds=context.run_config["num-server-rounds"]),
        strategy=strategy,
    )
    secure = SecAggPlusWorkflow(num_shares=1.0, reconstruction_threshold=0.5, max_weight=1000)
    DefaultWorkflow(fit_workflow=secure)(grid, legacy)
