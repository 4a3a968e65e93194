"""Differential privacy with adaptive clipping, at the server or (`method`) at the clients, without noise."""

from flwr.app import Context, Message
from flwr.clientapp import ClientApp
from flwr.clientapp.mod import adaptiveclipping_mod
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import (
    DifferentialPrivacyClientSideAdaptiveClipping,
    DifferentialPrivacyServerSideAdaptiveClipping,
    FedAvg,
)

from shapes.task import evaluated, initial_arrays, trained

WRAPPERS = {
    "server": DifferentialPrivacyServerSideAdaptiveClipping,
    "client": DifferentialPrivacyClientSideAdaptiveClipping,
}


class Clipping(ClientApp):
    """Clips at the clients if the method is that."""

    def __call__(self, message: Message, context: Context) -> Message:
        app = ClientApp()
        app.train(mods=[adaptiveclipping_mod] if context.run_config["method"] == "client" else [])(trained)
        app.evaluate()(evaluated)
        return app(message, context)


client_app = Clipping()
server_app = ServerApp()


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    strategy = WRAPPERS[context.run_config["method"]](
        FedAvg(),
        noise_multiplier=0.0,
        num_sampled_clients=len(list(grid.get_node_ids())),
        initial_clipping_norm=2.0,
        clipped_count_stddev=0.0,
    )
    strategy.start(grid, initial_arrays(), num_rounds=context.run_config["num-server-rounds"])
