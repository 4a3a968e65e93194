"""Bridge: the process of an engine, between FedLoom and one of Flower's grids.

FedLoom says over the channel

    begin     first, whatever the engine needs
    send      messages, each for a node by its id
    withdraw  a message whose reply nobody wants
    pause     whether to hold what has not been given to a node yet
    end       the run is over, and whether it was completed

and hears which `clients` there are, each message's reply (`replied`), and why there is none (`failed`).
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NoReturn

from flwr.app import Message

from app.federation.engines.carrier import Carrier, Letter, OtherGrid
from app.federation.engines.frames import letters_of
from shared.app_host.channel import Channel, ChannelClosed, Frame
from shared.app_host.codec import encode
from shared.errors import FedLoomError

LOOK_S = 1.0
"""How often it is looked who is there."""

Clients = Mapping[str, int]
"""The id of each client's node, by the name of the client."""


class Bridge:
    """Carries messages until FedLoom ends it, or is gone: then the process ends."""

    def __init__(self, channel: Channel, on_end: Callable[[bool], None] = lambda completed: None) -> None:
        """`on_end`: called before FedLoom has the process end, with whether the run was completed."""
        self._channel = channel
        self._on_end = on_end
        self._heard: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self._clients: Clients = {}
        self._looked_at = -LOOK_S

    def listen(self) -> None:
        """Hear FedLoom from now on, which may end the run before there is a grid."""
        threading.Thread(target=self._listen, name="fedloom", daemon=True).start()

    def serve(
        self, grid: OtherGrid, clients: Callable[[], Clients], *, window: int, idle_s: float
    ) -> NoReturn:
        """Carry messages. Raises what the grid raises, and ChannelClosed when FedLoom is gone.

        `clients`: who is there now. `window`: messages that are on the grid at a time; `idle_s`: how long to
        wait for FedLoom before it is looked again whether a reply has come.
        """
        carrier = Carrier(grid, window, self._replied, self._failed)
        wait_s = 0.0
        while True:
            self._tell_clients(clients)
            for frame in self._heard_within(wait_s):
                self._hand_on(frame, carrier)
            wait_s = 0.0 if carrier.turn() else idle_s

    def _tell_clients(self, look: Callable[[], Clients]) -> None:
        if time.monotonic() - self._looked_at < LOOK_S:
            return
        clients = look()
        self._looked_at = time.monotonic()
        if clients != self._clients:
            self._clients = dict(clients)
            self._channel.send("clients", clients=self._clients)

    def _listen(self) -> None:
        with ending_the_process():
            while (frame := self._channel.receive()).kind != "end":
                self._heard.put(frame)
            self._on_end(frame.fields["completed"])

    def _heard_within(self, wait_s: float) -> Iterator[Frame]:
        """What FedLoom has said; while that is nothing, it is waited for."""
        with suppress(queue.Empty):
            yield self._heard.get(timeout=wait_s)
            while True:
                yield self._heard.get_nowait()

    def _hand_on(self, frame: Frame, carrier: Carrier) -> None:
        match frame.kind:
            case "send":
                carrier.send(letters_of(frame))
            case "withdraw":
                carrier.withdraw(frame.fields["message_id"])
            case "pause":
                carrier.pause(frame.fields["paused"])

    def _replied(self, letter: Letter, reply: Message) -> None:
        if reply.has_error():
            self._failed(letter, reply.error.reason or "")
        else:
            answer = encode(Message(reply.content, reply_to=letter.message))
            self._channel.send("replied", answer.parts, message_id=letter.id)

    def _failed(self, letter: Letter, reason: str) -> None:
        self._channel.send("failed", message_id=letter.id, reason=reason)


@contextmanager
def ending_the_process() -> Iterator[None]:
    """Whatever ends the block ends the process: FedLoom hears of it, with the last line that it printed."""
    try:
        yield
    except ChannelClosed:
        leave(0)
    except FedLoomError as error:
        sys.stderr.write(f"{error}\n")
        leave(1)
    except BaseException:  # noqa: BLE001 - the edge of a thread, whose process has others
        traceback.print_exc()
        leave(1)
    leave(0)


def leave(code: int) -> NoReturn:
    """End the process at once, with all its threads; its warden ends what it has started."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
