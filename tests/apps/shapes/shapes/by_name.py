"""The app of the shape that the run config names, `shape = "plain"`: its module has both ends of it."""

from importlib import import_module

from flwr.app import Context, Message
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp


class ByName(ClientApp):
    """A ClientApp that leaves everything to the one of the shape."""

    def __call__(self, message: Message, context: Context) -> Message:
        return module(context).client_app(message, context)


def module(context: Context):
    """The shape's module."""
    return import_module(f"shapes.{context.run_config['shape']}")


client_app = ByName()
server_app = ServerApp()


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    """The shape's ServerApp, whether it has a main function or components."""
    module(context).server_app(grid, context)
