"""AppRun: a run of another Flower app, whose ServerApp and strategy are its own."""

from __future__ import annotations

from collections.abc import Sequence

from flwr.app import Context, Message, UserConfig

from app.federation.grid.instruction import Instruction
from app.federation.rounds.app_replies import check_any_reply, read_any_reply
from app.federation.runs import words
from app.federation.runs.active import ActiveRun, Services
from app.federation.runs.app_thread import AppThread
from app.records import Run, WaitingFor, WaitKind
from shared.app_import import load_server_app
from shared.errors import AppInvalid
from shared.flower_app import FlowerApp
from shared.run_config import ROUNDS_KEY, fuse
from shared.wire import MAX_MESSAGE_BYTES

PATIENCE = 2
"""So many times an app may ask who is there before it sends something, until that is worth a word."""


def app_run_config(app: FlowerApp, run: Run) -> UserConfig:
    """The app's own run config with the run's values in place. Raises SettingsInvalid for a wrong one."""
    config = fuse(app, run.spec.run_config)
    if ROUNDS_KEY in config:
        config[ROUNDS_KEY] = run.spec.num_rounds
    return config


class AppRun(ActiveRun):
    """Watches the messages that the app sends. What state the app itself is in, nobody can know."""

    def __init__(self, run: Run, services: Services) -> None:
        if services.app is None or services.app.name != run.spec.app:
            raise AppInvalid(
                f"Run {run.id} is one of the app {run.spec.app!r}, which this server was not started with. "
                "Start the server with --app and that app's folder."
            )
        self._app = services.app
        self._run = run
        self._asked_who_is_there = 0
        self._members: Sequence[str] = ()
        super().__init__(run, services, read_any_reply)

    # ActiveRun

    def run_config(self) -> UserConfig:
        """The app's own, as far as the run does not replace it."""
        return app_run_config(self._app, self._run)

    def call_server_app(self, context: Context) -> None:
        """Wait for the clients, then leave everything to the app."""
        self.waits(WaitingFor(kind=WaitKind.APP), f"loading the app {self._app.name}")
        server_app = load_server_app(self._app)
        self.wait_for_clients()
        AppThread(lambda: server_app(self.grid, context), self.grid).run()

    def check(self, instruction: Instruction, reply: Message) -> None:
        """The reply must be readable; what belongs in it only the app knows."""
        check_any_reply(reply)

    def largest_reply(self, kind: str, sent_bytes: int) -> int:
        """Whatever the link carries: how much an app has to say only the app knows."""
        return MAX_MESSAGE_BYTES

    def required(self, kind: str, asked: int) -> int:
        """A round of training needs replies; anything else may go without.

        An app in Flower's older style asks each client by itself, and its own strategy decides how many will
        do.
        """
        if kind != "train" or (asked == 1 and len(self._members) > 1):
            return 0
        return self.spec.required_replies(asked)

    def can_start_over(self, kind: str) -> bool:
        """No: an exchange that ends without replies is a round less."""
        return False

    def members(self) -> Sequence[str]:
        """Those who are there, once they are enough for the run."""
        if not self.grid.is_busy:
            if not self.has_enough_clients():
                self.wait_for_clients()
            self._say_if_it_only_asks()
        self._members = super().members()
        return self._members

    def sending(self) -> None:
        """The app has what it waited for."""
        self._asked_who_is_there = 0
        super().sending()

    def _say_if_it_only_asks(self) -> None:
        """Some apps look for clients every few seconds while they compute; others wait for more of them."""
        self._asked_who_is_there += 1
        if self._asked_who_is_there > PATIENCE:
            waiting_for = WaitingFor(kind=WaitKind.APP, have=len(self._members))
            detail = f"the app computes on the server, or waits for more clients than {len(self._members)}"
            reason = words.waiting(waiting_for, detail)
            self._book.update(self.run_id, reason=reason, waiting_for=waiting_for)
