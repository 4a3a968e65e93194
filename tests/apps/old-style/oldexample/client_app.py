"""oldexample: A Flower app in the older style."""

from flwr.client import ClientApp, NumPyClient
from flwr.common import Context

from oldexample.task import fit, load_data, mean_squared_error


# Define Flower Client and client_fn
class FlowerClient(NumPyClient):
    def __init__(self, data, local_epochs):
        self.x, self.y = data
        self.local_epochs = local_epochs

    def fit(self, parameters, config):
        weights = fit(parameters, self.x, self.y, self.local_epochs)
        train_loss = mean_squared_error(weights, self.x, self.y)
        return weights, len(self.x), {"train_loss": train_loss, "lucky": True, "told": config["told"]}

    def evaluate(self, parameters, config):
        loss = mean_squared_error(parameters, self.x, self.y)
        return loss, len(self.x), {"accuracy": 1 / (1 + loss)}


def client_fn(context: Context):
    partition_id = context.node_config["partition-id"]
    num_partitions = context.node_config["num-partitions"]
    data = load_data(partition_id, num_partitions)
    local_epochs = context.run_config["local-epochs"]

    # Return Client instance
    return FlowerClient(data, local_epochs).to_client()


# Flower ClientApp
app = ClientApp(client_fn)
