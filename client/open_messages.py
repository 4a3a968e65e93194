"""What a client works on, and the replies it keeps until the server has them: all that outlasts a connection.

A connection that breaks does not end the work: after a reconnect the server says which messages it still
awaits. Work on the others is given up, a reply that is ready is sent (again), none is computed twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from client.receipts import Receipts
from client.sealing import Origin, Reply, Sealing, Signed
from client.work import Work
from shared.app_host.serialised import Serialised
from shared.payload import Payload
from shared.proto.link_pb2 import (
    ClientFrame,
    Failure,
    Held,
    LabelCounts,
    Progress,
    Received,
    Released,
    Welcome,
)
from shared.text import printable

MAX_UNRECEIPTED = 1_000
"""Replies, the newest, that the server has and of which it has not said whether it accepts them."""

log = logging.getLogger(__name__)

Outgoing = ClientFrame | Reply


class Worker(Protocol):
    """Does the work, in a thread of its own; see `client.runtime.Runtime`."""

    def execute(self, work: Work) -> None:
        """Queue a message."""

    def cancel(self, work: Work) -> None:
        """Give up a message."""

    def stay_in(self, run_id: int) -> None:
        """Be in this run, or with 0 in none; another one is over."""

    def pause(self, paused: bool) -> None:
        """Hold, or go on."""


class OpenMessages:
    """Owned by the event loop; the runtime's thread calls back through it."""

    def __init__(
        self, runtime: Worker, loop: asyncio.AbstractEventLoop, sealing: Sealing, receipts: Receipts
    ) -> None:
        self._runtime = runtime
        self._loop = loop
        self._sealing = sealing
        self._receipts = receipts
        self._working: dict[str, Work] = {}
        self._finished: dict[str, Outgoing] = {}
        self._unreceipted: dict[str, Signed] = {}
        self._given_up: set[str] = set()
        self._labels: ClientFrame | None = None
        self._holds: ClientFrame | None = None
        """The newest that was said of a message that is held back."""
        self._send: Callable[[Outgoing], None] | None = None

    def holding(self) -> list[str]:
        """Messages that are worked on, also in vain, or whose reply has not been confirmed."""
        return [*self._working, *self._finished, *self._given_up]

    def connected(self, welcome: Welcome, send: Callable[[Outgoing], None]) -> None:
        """There is a connection: give up what the server no longer awaits, and send what is ready."""
        self._send = send
        self._sealing.go_on_after(welcome.sequence)
        self._runtime.pause(welcome.paused)
        wanted = set(welcome.awaited)
        for message_id in self._working.keys() - wanted:
            self._give_up(self._working.pop(message_id))
        for message_id in self._finished.keys() - wanted:
            self._let_go(message_id)  # the server may have it already
            send(ClientFrame(released=Released(message_id=message_id)))
        self._runtime.stay_in(welcome.run_id)
        if self._labels is not None:
            send(self._labels)
        if self._holds is not None and self._holds.held.message_id in self._working:
            send(self._holds)
        for reply in self._finished.values():
            send(reply)

    def disconnected(self) -> None:
        """The connection is gone; the work goes on."""
        self._send = None

    def take(self, origin: Origin, payload: Payload, cohort: int = 0) -> None:
        """A message came, and it is the server's; `cohort`: as Work has it."""
        message_id = origin.instructed.message_id
        work = Work(
            message_id,
            payload,
            reply=partial(self._replied, origin),
            fail=self._failed,
            progress=self._progressed,
            released=self._released,
            labels=self._counted,
            decline=self._declined,
            held=self._held,
            cohort=cohort,
            origin=origin,
        )
        self._working[message_id] = work
        self._runtime.execute(work)

    def refuse(self, message_id: str, reason: str) -> None:
        """A message came that nobody looks at."""
        self._finished[message_id] = _failure(message_id, reason)
        self._pass_on(self._finished[message_id])

    def cancel(self, message_id: str) -> None:
        """The server no longer wants a message's reply."""
        self._finished.pop(message_id, None)
        work = self._working.pop(message_id, None)
        if work is not None:
            self._give_up(work)

    def confirm(self, received: Received) -> None:
        """The server has a reply; and it may say what it has decided of it."""
        message_id = received.message_id
        self._let_go(message_id)
        if not received.HasField("receipt") and not received.verdict:
            return
        signed = self._unreceipted.pop(message_id, None)
        if signed is None:
            return  # it was said before
        if received.HasField("receipt"):
            self._receipts.keep(signed, received.receipt)
        else:
            log.warning("the server refused a reply (%s): %s", received.verdict, received.detail)

    # called in the runtime's thread

    def _replied(self, origin: Origin, message_id: str, message: Serialised) -> None:
        with suppress(RuntimeError):  # the threads that hash are gone: as with the loop, below
            self._in_loop(self._finish, message_id, self._sealing.sign(origin, message))

    def _failed(self, message_id: str, reason: str) -> None:
        self._in_loop(self._finish, message_id, _failure(message_id, reason))

    def _declined(self, message_id: str, rule: str, reason: str) -> None:
        failure = Failure(message_id=message_id, reason=printable(reason), rule=rule)
        self._in_loop(self._finish, message_id, ClientFrame(failure=failure))

    def _held(self, message_id: str, reason: str) -> None:
        held = Held(message_id=message_id, reason=printable(reason))
        self._in_loop(self._keep_held, ClientFrame(held=held))

    def _progressed(self, progress: Progress) -> None:
        self._in_loop(self._pass_on, ClientFrame(progress=progress))

    def _released(self, message_id: str) -> None:
        self._in_loop(self._release, message_id)

    def _counted(self, counts: LabelCounts) -> None:
        self._in_loop(self._keep_labels, ClientFrame(label_counts=counts))

    def _in_loop(self, function: Callable[..., object], *args: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: the client has ended, and nobody waits any more
            self._loop.call_soon_threadsafe(function, *args)

    # in the event loop

    def _let_go(self, message_id: str) -> None:
        """A reply need not be kept, but for what was signed of it, until there is a receipt."""
        reply = self._finished.pop(message_id, None)
        if isinstance(reply, Reply) and reply.signed.done():  # or it was not sent so far
            self._unreceipted[message_id] = reply.signed.result()
            if len(self._unreceipted) > MAX_UNRECEIPTED:
                del self._unreceipted[next(iter(self._unreceipted))]

    def _keep_labels(self, frame: ClientFrame) -> None:
        self._labels = frame
        self._pass_on(frame)

    def _keep_held(self, frame: ClientFrame) -> None:
        self._holds = frame
        self._pass_on(frame)

    def _give_up(self, work: Work) -> None:
        self._given_up.add(work.message_id)
        self._runtime.cancel(work)

    def _release(self, message_id: str) -> None:
        self._given_up.discard(message_id)
        self._pass_on(ClientFrame(released=Released(message_id=message_id)))

    def _finish(self, message_id: str, outgoing: Outgoing) -> None:
        if self._working.pop(message_id, None) is None:  # cancelled meanwhile
            self._release(message_id)
            return
        self._finished[message_id] = outgoing
        self._pass_on(outgoing)

    def _pass_on(self, outgoing: Outgoing) -> None:
        if self._send is not None:
            self._send(outgoing)


def _failure(message_id: str, reason: str) -> ClientFrame:
    return ClientFrame(failure=Failure(message_id=message_id, reason=printable(reason)))
