"""The older style: NumPyClient, components, a Server subclass, `evaluate_fn` and functions that aggregate
metrics: the baselines fedprox, fedbn and statavg."""

from flwr.client import ClientApp, NumPyClient
from flwr.common import Context, ndarrays_to_parameters
from flwr.server import Server, ServerApp, ServerAppComponents, ServerConfig, SimpleClientManager
from flwr.server.strategy import FedAvg

from shapes.task import examples, initial_arrays, loss, partition, step


class Client(NumPyClient):
    def __init__(self, part: int) -> None:
        self.part = part

    def fit(self, parameters, config):
        point = step(parameters[0], self.part)
        return [point], examples(self.part), {"train_loss": loss(point, self.part), "round": config["round"]}

    def evaluate(self, parameters, config):
        value = loss(parameters[0], self.part)
        return value, examples(self.part), {"accuracy": 1 / (1 + value)}


class ResultsSaver(Server):
    """Prints the history when all is done."""

    def fit(self, num_rounds, timeout):
        history, elapsed = super().fit(num_rounds, timeout)
        print("History:", history.losses_distributed)
        return history, elapsed


def weighted(metrics):
    """Each number, weighted by the examples."""
    total = sum(count for count, _ in metrics)
    names = metrics[0][1]
    return {name: sum(count * values[name] for count, values in metrics) / total for name in names}


def server_fn(context: Context) -> ServerAppComponents:
    parameters = ndarrays_to_parameters(initial_arrays().to_numpy_ndarrays())
    strategy = FedAvg(
        initial_parameters=parameters,
        on_fit_config_fn=lambda server_round: {"round": server_round},
        fit_metrics_aggregation_fn=weighted,
        evaluate_metrics_aggregation_fn=weighted,
        evaluate_fn=lambda server_round, arrays, config: (loss(arrays[0], 0), {"centralized_acc": 0.5}),
    )
    server = ResultsSaver(client_manager=SimpleClientManager(), strategy=strategy)
    rounds = ServerConfig(num_rounds=int(context.run_config["num-server-rounds"]))
    return ServerAppComponents(server=server, config=rounds)


client_app = ClientApp(client_fn=lambda context: Client(partition(context)).to_client())
server_app = ServerApp(server_fn=server_fn)
