"""A Flower app's ClientApp that every run gets anew."""

from __future__ import annotations

from flwr.app import Context, Message

from shared.app_import import load_client_app
from shared.flower_app import FlowerApp


class FreshApp:
    """Calls the ClientApp. Many an app keeps its data in a global, cut as the first run wanted it.

    Raises AppInvalid when the app cannot be imported: at once, and later when its files have changed.
    """

    def __init__(self, app: FlowerApp) -> None:
        self._app = app
        self._client_app = load_client_app(app)
        self._run_id: int | None = None

    def __call__(self, message: Message, context: Context) -> Message:
        """What the ClientApp answers."""
        if self._run_id not in (None, context.run_id):
            self._client_app = load_client_app(self._app)
        self._run_id = context.run_id
        return self._client_app(message, context)
