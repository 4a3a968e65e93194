"""A ServerApp's host in a thread of the test, with a real channel, and clients that answer at once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flwr.app import Message, RecordDict
from flwr.serverapp import ServerApp

from app.federation.link.task import Task
from shared.app_host import server_host
from shared.app_host.channel import Channel, ChannelClosed, Frame
from shared.app_host.hooks import Hooks
from shared.errors import AppDied
from shared.payload import Payload
from tests.support.payloads import payload_of
from tests.unit.test_grid import FakeLink


class ThreadHost:
    """In place of an AppProcess."""

    def __init__(self, server_app: ServerApp, hooks: Hooks | None = None) -> None:
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        self._their_channel = Channel(theirs)
        self.was_killed = False
        self.thread = threading.Thread(
            target=server_host.serve, args=(self._their_channel, server_app, hooks or Hooks()), daemon=True
        )
        self.thread.start()

    def send(self, kind: str, parts: Any = (), **fields: Any) -> None:
        try:
            self._channel.send(kind, parts, **fields)
        except ChannelClosed as error:
            raise AppDied("it is gone") from error

    def receive(self) -> Frame:
        try:
            return self._channel.receive()
        except ChannelClosed as error:
            raise AppDied("it is gone") from error

    def die(self) -> None:
        """As a process that crashes."""
        self._their_channel.close()

    def kill(self) -> None:
        self.was_killed = True
        self._channel.close()

    def end(self, grace_s: float) -> None:
        self._channel.send("end")
        self.thread.join(grace_s)
