"""LinkGrid: Flower's Grid over FedLoom's links. Flower's ServerApp and strategies run on it unchanged."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace

from flwr.app import Message, RecordDict
from flwr.serverapp import Grid

from app.federation.grid.codec import Arrived, OpenReply, Packer, opened
from app.federation.grid.exchange import Exchange
from app.federation.grid.inbox import (
    Away,
    Back,
    Fail,
    Failed,
    GoOn,
    Inbox,
    Item,
    MembershipChanged,
    Pause,
    Reply,
    Stop,
)
from app.federation.grid.instruction import Instruction, kind_of, round_of
from app.federation.grid.open_exchanges import OpenExchanges
from app.federation.grid.outstanding import Outstanding
from app.federation.grid.owner import Observer, Owner
from app.federation.grid.pause import PauseClock
from app.federation.grid.transport import Transport
from shared.app_host.batch import Outgoing, outgoing
from shared.errors import RunStopped
from shared.flower import FlowerRun, empty_run, is_declined, node_id_of, set_message_id


class LinkGrid(Grid):
    """The grid of one run. Any call raises `RunStopped` once the run was stopped, and blocks while it is
    paused.

    Several threads of the run may use it: apps in Flower's older style ask each client in a thread of its
    own. Whichever of them waits handles what comes next, one at a time, for all; the owner is called in its
    turn.
    """

    def __init__(
        self,
        link: Transport,
        run_id: int,
        owner: Owner,
        observer: Observer,
        open_reply: OpenReply = opened,
    ) -> None:
        """`open_reply`: another than this one is for who takes replies by `exchange` and `pull` only."""
        self._link = link
        self._run = empty_run(run_id)
        self._owner = owner
        self._observer = observer
        self._outstanding = Outstanding(link, observer, open_reply)
        self._inbox = Inbox()
        self._exchanges = OpenExchanges()
        self._turn = threading.RLock()
        self._client_ids: dict[int, str] = {}
        self._changes = 0
        self._pauses = PauseClock()
        self._stopped: str | None = None
        self._error: Exception | None = None
        self.interrupted = False
        """Whether what stopped the run means to let it go on later."""

    # from other threads

    def stop(self, reason: str, *, interrupts: bool = False) -> None:
        """Make whatever the run thread waits for on this grid raise `RunStopped`; the first reason counts."""
        self._inbox.put(Stop(reason, interrupts))

    def fail(self, error: Exception) -> None:
        """Make whatever the run thread waits for on this grid raise this; the first counts."""
        self._inbox.put(Fail(error))

    def pause(self) -> None:
        """Hold the run thread at its next call, and the clients between two batches."""
        self._inbox.put(Pause(True))

    def resume(self) -> None:
        """Undo `pause`."""
        self._inbox.put(Pause(False))

    def lacking(self, kind: str) -> int | None:
        """Good replies to this kind of message that `go_on` needs first; None: nothing is waited for."""
        return max((each.lacking for each in self._exchanges.of(kind)), default=None)

    def go_on(self, kind: str) -> None:
        """Have what is waited for now end without the replies that are missing, as by the run's deadline."""
        self._inbox.put(GoOn(self._exchanges.of(kind)))

    def membership_changed(self) -> None:
        """A client came or went: have the run thread look, also when it waits in `wait_until`."""
        self._inbox.put(MembershipChanged())

    # Flower's Grid

    def set_run(self, run: FlowerRun) -> None:
        """Part of Flower's interface; a LinkGrid belongs to one run from the start."""
        self._run = run

    @property
    def run(self) -> FlowerRun:
        """Flower's description of the run."""
        return self._run

    def create_message(
        self,
        content: RecordDict,
        message_type: str,
        dst_node_id: int,
        group_id: str,
        ttl: float | None = None,
    ) -> Message:
        """A new message from this run's ServerApp."""
        return Message(content, dst_node_id, message_type, ttl=ttl, group_id=group_id)

    def get_node_ids(self) -> list[int]:
        """The node ids of the run's connected clients, in the clients' natural order."""
        self.breathe()
        with self._turn:
            client_ids = list(self._owner.admit())
            self._client_ids.update({node_id_of(client_id): client_id for client_id in client_ids})
        return [node_id_of(client_id) for client_id in client_ids]

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        """Send messages; returns their ids. Raises ValueError, and sends none, if a node is unknown."""
        return self.push(outgoing(messages))

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        """The replies that have arrived since the last call to any of these messages; does not wait.

        For a client that is away, an error reply is given at once.
        """
        return [arrived.message for arrived in self.pull(message_ids)]

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Generator[Message, None, None]:
        """Send messages at once; returns a generator that yields replies as they arrive.

        An error reply stands for a client that failed, or that was lost and did not come back in time. After
        `timeout` seconds (None: never), or the run's own deadline if enough replies are there, the generator
        ends without the others; their clients are told to stop.
        """
        return _messages(self.exchange(outgoing(messages), timeout))

    # the same for who only passes messages on

    def push(self, messages: Sequence[Outgoing]) -> list[str]:
        """As `push_messages`."""
        self.breathe()
        with self._turn:
            instructions = [self._instruct(each.message) for each in messages]
            packer = Packer(self._run.run_id, self._owner.largest_reply, self._inbox.put)
            asked = Counter(item.message_type for item in instructions)
            tasks = [
                packer.pack(item, each.content, self._owner.cohort(asked[item.message_type]))
                for item, each in zip(instructions, messages, strict=True)
            ]
            self._owner.sending()
            rounds = self._observer.sent(instructions)
            self._outstanding.add(instructions)
        self._link.dispatch([replace(task, round=number) for task, number in zip(tasks, rounds, strict=True)])
        return [task.message_id for task in tasks]

    def pull(self, message_ids: Iterable[str]) -> list[Arrived]:
        """As `pull_messages`."""
        self.breathe()
        with self._turn:
            message_ids = list(dict.fromkeys(message_ids))
            for message_id in message_ids:
                self._outstanding.give_up_if_away(message_id)
            arrived = map(self._outstanding.take, message_ids)
            return [reply for reply in arrived if reply is not None]

    def exchange(self, messages: Sequence[Outgoing], timeout: float | None) -> Generator[Arrived, None, None]:
        """As `send_and_receive`."""
        message_ids = self.push(messages)
        kind = kind_of(messages[0].message) if messages else ""
        return self._replies(Exchange(self._owner, kind, message_ids, timeout, self._pauses.held_s))

    @property
    def is_busy(self) -> bool:
        """Whether messages are on their way."""
        return bool(self._outstanding)

    # waiting

    def wait_until(
        self, condition: Callable[[], bool], every_s: float | None = None, *, commands_only: bool = False
    ) -> None:
        """Block until `condition` holds; it is asked again whenever something happened.

        `every_s`: ask also after so many seconds. `commands_only`: what comes from clients is left to the
        threads that wait for it.
        """
        self.breathe()
        while True:
            seen = self._inbox.version
            with self._turn:
                if condition():
                    return
            self._take(seen, every_s, commands_only=commands_only)
            self._hold()

    @property
    def changes(self) -> int:
        """How often clients have come or gone, or `membership_changed` was called for another reason."""
        return self._changes

    def wait_for_change(self, since: int) -> None:
        """Block until `changes` is more than it was."""
        self.wait_until(lambda: self._changes > since)

    def breathe(self) -> None:
        """Take in what has arrived; block while the run is paused, raise RunStopped once it was stopped."""
        self._raise_if_stopped()
        while self._take(-1, 0):
            self._hold()
        self._hold()

    def in_turn(self, function: Callable[[], None]) -> None:
        """Call a function as the observer is called: one at a time, and in its place among the messages."""
        self.breathe()
        with self._turn:
            function()

    def give_up(self, message_id: str, reason: str) -> None:
        """The reply to a message is no longer wanted: its client is late."""
        with self._turn:
            self._outstanding.give_up(message_id, reason)

    def end(self, reason: str) -> None:
        """The run is over: tell every client that still works on a message of it to stop.

        A thread that the app has left behind gets RunStopped from now on.
        """
        with self._turn:
            self._outstanding.withdraw_all(reason)
            self._stopped = self._stopped or reason
            self._inbox.close()

    def _replies(self, exchange: Exchange) -> Generator[Arrived, None, None]:
        with self._exchanges.holding(exchange):
            yield from self._replies_in_time(exchange)
        awaited = exchange.awaited
        while awaited:
            if (reply := self._left_out(awaited.pop())) is not None:
                yield reply

    def _replies_in_time(self, exchange: Exchange) -> Generator[Arrived, None, None]:
        awaited = exchange.awaited
        while awaited:
            seen = self._inbox.version
            if (reply := self._next_of(exchange)) is not None:
                yield reply
                del reply
                continue
            if self._take(-1, 0):  # all that has come in counts before anybody is given up
                self._hold()
                continue
            with self._turn:
                if exchange.is_over(self._pauses.held_s) or not self._goes_on(exchange):
                    break
            self._take(seen, exchange.remaining_s(self._pauses.held_s))
            self._hold()
        exchange.went_on()

    def _next_of(self, exchange: Exchange) -> Arrived | None:
        """A reply that has arrived, if there is one."""
        with self._turn:
            for message_id in exchange.awaited:
                if (reply := self._outstanding.take(message_id)) is not None:
                    declined = is_declined(reply.message)
                    exchange.answered(message_id, good=not reply.message.has_error(), declined=declined)
                    if not exchange.awaited:  # before anybody hears of the last reply, and goes on
                        exchange.went_on()
                    return reply
        return None

    def _left_out(self, message_id: str) -> Arrived | None:
        """Give up a message: an error reply if its client is away, None if it is late."""
        with self._turn:
            self._outstanding.give_up_if_away(message_id)
            if (reply := self._outstanding.take(message_id)) is None:
                self._outstanding.give_up(message_id, "the round went on without it")
            return reply

    def _goes_on(self, exchange: Exchange) -> bool:
        """Whether the exchange still waits for somebody; says for whom where that holds the run up."""
        away = exchange.awaited <= self._outstanding.away
        overdue = exchange.is_overdue(self._pauses.held_s)
        if overdue:
            for message_id in exchange.newly_late(self._outstanding.away):
                self._outstanding.mark_late(message_id)
        if not away and not overdue:
            exchange.went_on()
            return True
        if exchange.missing == 0 or (away and self._owner.can_start_over(exchange.kind)):
            return False
        exchange.waits(*self._outstanding.holdups(exchange.awaited))
        return True

    def _take(self, seen: int, timeout_s: float | None, *, commands_only: bool = False) -> bool:
        """Handle the next item, if one comes in time; see `Inbox.wait`.

        It is taken out in turn, so that no thread waits for the turn with an item in its hand.
        """
        self._inbox.wait(seen, self._sooner(timeout_s), commands_only=commands_only)
        with self._turn:
            item = self._inbox.take(commands_only=commands_only)
            if item is None:
                if self._observer.due_s() == 0:
                    self._observer.catch_up()
            else:
                try:
                    self._handle(item)
                finally:
                    self._inbox.handled(item)
        self._raise_if_stopped()
        return item is not None

    def _sooner(self, timeout_s: float | None) -> float | None:
        """That, or until the observer has something to do."""
        due_s = self._observer.due_s()
        if due_s is None or timeout_s is None:
            return timeout_s if due_s is None else due_s
        return min(due_s, timeout_s)

    def _hold(self) -> None:
        """While the run is paused: wait, but leave replies unread, so that they do not pile up decoded."""
        while True:
            seen = self._inbox.version  # before the test: whoever ends the pause may be another thread
            if not self._pauses.is_paused:
                return
            self._take(seen, None, commands_only=True)

    def _raise_if_stopped(self) -> None:
        if self._error is not None:
            raise self._error
        if self._stopped is not None:
            raise RunStopped(self._stopped)

    def _handle(self, item: Item) -> None:
        match item:
            case Reply() | Failed() | Away() | Back():
                self._outstanding.heard(item)
            case Stop(reason, interrupts):
                if self._stopped is None:
                    self._stopped, self.interrupted = reason, interrupts
            case Fail(error):
                if self._stopped is None and self._error is None:
                    self._error = error
            case Pause(paused):
                self._set_paused(paused)
            case MembershipChanged():
                self._changes += 1
                self._owner.membership_changed()
            case GoOn(exchanges):
                for exchange in exchanges:
                    exchange.end_early()

    def _set_paused(self, paused: bool) -> None:
        if not self._pauses.set(paused):
            return
        self._link.set_paused(self._run.run_id, paused)
        if paused:
            self._owner.paused()
        else:
            self._owner.resumed()

    def _instruct(self, message: Message) -> Instruction:
        node_id = message.metadata.dst_node_id
        client_id = self._client_ids.get(node_id)
        if client_id is None:
            raise ValueError(
                f"There is no node {node_id} on this grid; take node ids from grid.get_node_ids()."
            )
        set_message_id(message, uuid.uuid4().hex)
        return Instruction(client_id, message, round_of(message))


def _messages(arrivals: Generator[Arrived, None, None]) -> Generator[Message, None, None]:
    for arrived in arrivals:
        yield arrived.message
        del arrived  # while the next is waited for
