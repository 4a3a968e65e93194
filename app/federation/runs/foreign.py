"""ForeignKind: runs of another Flower app, whose ServerApp and strategy are its own."""

from __future__ import annotations

from collections.abc import Callable

from flwr.app import Context, Message, UserConfig

from app.federation.grid.codec import Arrived
from app.federation.grid.instruction import Instruction
from app.federation.rounds.foreign_replies import open_any_reply, read_any_reply
from app.federation.rounds.results import ClientResult
from app.federation.runs.app_compatibility import app_run_config
from app.federation.runs.app_hosts import AppHosts
from app.federation.runs.hosted_server_app import HostedServerApp
from app.federation.runs.kind import RunKind, RunParts
from app.records import Run, WaitingFor, WaitKind
from shared.flower_app import FlowerApp
from shared.payload import Payload
from shared.wire import MAX_MESSAGE_BYTES

PATIENCE = 2
"""So many times an app may ask who is there before it sends something, until that is worth a word."""


class ForeignKind(RunKind):
    """Watches the messages that the app sends. What state the app itself is in, nobody can know."""

    def __init__(self, run: Run, app: FlowerApp, hosts: AppHosts) -> None:
        """Raises SettingsInvalid for a run config that the app does not take."""
        self._run_id = run.id
        self._app = app
        self._hosts = hosts
        self._spec = run.spec
        self._run_config = app_run_config(app, run.spec)
        self._hosted: HostedServerApp | None = None
        self._is_held = False
        self._asked_who_is_there = 0

    @property
    def run_config(self) -> UserConfig:
        """The app's own, as far as the run does not replace it."""
        return self._run_config

    def call_server_app(self, parts: RunParts, context: Context) -> None:
        """Start the app's process while the clients come, then leave everything to the app."""
        self._shows_loading(parts)
        hosted = HostedServerApp(lambda: self._hosts.start(self._run_id), parts.grid, parts.tracker)
        hosted.pause(self._is_held)
        self._hosted = hosted
        hosted.begin()
        try:
            parts.wait_for_clients(
                lambda there, every_s: hosted.wait_until(lambda: self._can_begin(parts, there), every_s)
            )
            hosted.call(context)
        finally:
            hosted.close()
            self._hosts.say_what_was_written(self._run_id)

    def held(self, paused: bool) -> None:
        """The app's process is held with the run."""
        self._is_held = paused
        if self._hosted is not None:
            self._hosted.pause(paused)

    def open_reply(self, payload: Payload) -> Arrived:
        """Its arrays are for the app alone."""
        return open_any_reply(payload)

    def read(self, instruction: Instruction, reply: Message) -> ClientResult:
        """What belongs in a reply only the app knows."""
        return read_any_reply(instruction.kind, reply)

    def largest_reply(self, kind: str, sent_bytes: int) -> int:
        """Whatever the link carries: how much an app has to say only the app knows."""
        return MAX_MESSAGE_BYTES

    def required(self, kind: str, asked: int, declined: int, members: int) -> int:
        """A round of training needs replies; anything else may go without, and what an app in Flower's older
        style asks, whose own strategy decides how many will do."""
        if kind != "train" or self.cohort(asked, members) == 0:
            return 0
        return self._spec.required_replies(asked - declined)

    def cohort(self, asked: int, members: int) -> int:
        """An app in Flower's older style asks each client by itself."""
        return 0 if asked == 1 and members > 1 else asked

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
            parts.wait_for_clients(self._hosted.wait_until if self._hosted else None)
        self._asked_who_is_there += 1
        if self._asked_who_is_there > PATIENCE:
            parts.shown.is_held_up(WaitingFor(kind=WaitKind.APP, have=parts.membership.size))

    def sends(self) -> None:
        """The app has what it waited for."""
        self._asked_who_is_there = 0

    def _can_begin(self, parts: RunParts, clients_are_there: Callable[[], bool]) -> bool:
        """Whether the app can be called; if not, it is shown what the run waits for."""
        hosted = self._hosted
        if not clients_are_there() or hosted is None:
            return False
        if not hosted.is_ready:
            self._shows_loading(parts)
        return hosted.is_ready

    def _shows_loading(self, parts: RunParts) -> None:
        parts.shown.waits(WaitingFor(kind=WaitKind.APP), self._app.name)
