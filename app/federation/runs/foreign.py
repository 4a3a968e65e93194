"""ForeignKind: runs of another Flower app, whose ServerApp and strategy are its own."""

from __future__ import annotations

from flwr.app import Context, Message, UserConfig

from app.federation.grid.instruction import Instruction
from app.federation.rounds.foreign_replies import read_any_reply
from app.federation.rounds.results import ClientResult
from app.federation.runs.app_compatibility import app_run_config
from app.federation.runs.app_thread import AppThread
from app.federation.runs.kind import RunKind, RunParts
from app.records import Run, WaitingFor, WaitKind
from shared.app_import import load_server_app
from shared.flower_app import FlowerApp
from shared.wire import MAX_MESSAGE_BYTES

PATIENCE = 2
"""So many times an app may ask who is there before it sends something, until that is worth a word."""


class ForeignKind(RunKind):
    """Watches the messages that the app sends. What state the app itself is in, nobody can know."""

    def __init__(self, run: Run, app: FlowerApp) -> None:
        """Raises SettingsInvalid for a run config that the app does not take."""
        self._app = app
        self._spec = run.spec
        self._run_config = app_run_config(app, run.spec)
        self._asked_who_is_there = 0

    @property
    def run_config(self) -> UserConfig:
        """The app's own, as far as the run does not replace it."""
        return self._run_config

    def call_server_app(self, parts: RunParts, context: Context) -> None:
        """Wait for the clients, then leave everything to the app."""
        parts.shown.waits(WaitingFor(kind=WaitKind.APP), self._app.name)
        server_app = load_server_app(self._app)
        parts.wait_for_clients()
        AppThread(lambda: server_app(parts.grid, context), parts.grid).run()

    def read(self, instruction: Instruction, reply: Message) -> ClientResult:
        """The reply must be readable; what belongs in it only the app knows."""
        return read_any_reply(instruction.kind, reply)

    def largest_reply(self, kind: str, sent_bytes: int) -> int:
        """Whatever the link carries: how much an app has to say only the app knows."""
        return MAX_MESSAGE_BYTES

    def required(self, kind: str, asked: int, members: int) -> int:
        """A round of training needs replies; anything else may go without.

        An app in Flower's older style asks each client by itself, and its own strategy decides how many will
        do.
        """
        if kind != "train" or (asked == 1 and members > 1):
            return 0
        return self._spec.required_replies(asked)

    def can_start_over(self, kind: str) -> bool:
        """No: an exchange that ends without replies is a round less."""
        return False

    def looks_for_clients(self, parts: RunParts) -> None:
        """Those who are there must be enough for the run.

        Some apps look for clients every few seconds while they compute; others wait for more of them.
        """
        if parts.grid.is_busy:
            return
        if not parts.membership.are_enough():
            parts.wait_for_clients()
        self._asked_who_is_there += 1
        if self._asked_who_is_there > PATIENCE:
            parts.shown.is_held_up(WaitingFor(kind=WaitKind.APP, have=parts.membership.size))

    def sends(self) -> None:
        """The app has what it waited for."""
        self._asked_who_is_there = 0
