"""Outlets: the webhook and the trackers of one server, which follow what happens behind its back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack

from app.event_bus import EventBus
from app.notices.address import WebhookSettings
from app.notices.outbox import KeptNotices
from app.notices.webhook import Webhook
from app.records import Client, Run
from app.records.outlets import OutletsStatus
from app.trackers.tracker import TrackerSettings
from app.trackers.tracking import Book, Tracking


class Outlets:
    """Those that the server was started with."""

    def __init__(
        self,
        webhook: WebhookSettings | None,
        trackers: Sequence[TrackerSettings],
        server: str,
        bus: EventBus,
        kept: KeptNotices,
        book: Book,
        state: Callable[[], tuple[Iterable[Run], Iterable[Client]]],
    ) -> None:
        """`server`: the id of its key. Raises SettingsInvalid, StoreUnavailable."""
        self.webhook = None if webhook is None else Webhook(webhook, server, bus, kept, state)
        self._trackers = [Tracking(each, bus, book) for each in trackers]

    def start(self) -> None:
        """From now on, with what has happened since this was made."""
        for each in self._all():
            each.start()

    def stop(self) -> None:
        """Tell what is left, each for some seconds at most."""
        with ExitStack() as ending:
            for each in self._all():
                ending.callback(each.stop)

    def status(self) -> OutletsStatus:
        """How they all go."""
        return OutletsStatus(
            webhook=None if self.webhook is None else self.webhook.status(),
            trackers=tuple(each.status() for each in self._trackers),
        )

    def _all(self) -> list[Webhook | Tracking]:
        return [*([] if self.webhook is None else [self.webhook]), *self._trackers]
