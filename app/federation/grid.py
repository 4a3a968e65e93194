"""LinkGrid: Flower's Grid over FedLoom's links. Flower's ServerApp and strategies run on it unchanged."""

from __future__ import annotations

import queue
import time
import uuid
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from flwr.app import ConfigRecord, Message, RecordDict
from flwr.serverapp import Grid

from app.federation.link_server import LinkServer
from app.federation.session import Task
from shared.errors import ReplyInvalid, RunStopped, WireError
from shared.flower import (
    FlowerRun,
    client_failed,
    client_unavailable,
    decode,
    empty_run,
    encode_content,
    encode_envelope,
    node_id_of,
    set_message_id,
)
from shared.proto.link_pb2 import Chunk, ServerFrame
from shared.wire import following, opening


@dataclass(frozen=True)
class Instruction:
    """A message on its way: what was sent to whom, for which round (None: the app does not say)."""

    client_id: str
    message: Message
    round: int | None

    @property
    def kind(self) -> str:
        """Flower's category of the message: "train", "evaluate" or "query"."""
        return self.message.metadata.message_type.partition(".")[0]


class Observer(Protocol):
    """Sees every message that passes. Called in the run thread."""

    def sent(self, instructions: list[Instruction]) -> None:
        """A batch of messages is about to go out."""

    def replied(self, instruction: Instruction, reply: Message) -> None:
        """A reply came in, or an error in its place."""


@dataclass(frozen=True)
class _Reply:
    message_id: str
    payload: bytes


@dataclass(frozen=True)
class _Failed:
    message_id: str
    reason: str


@dataclass(frozen=True)
class _Lost:
    message_id: str
    reason: str


@dataclass(frozen=True)
class _Stop:
    reason: str


@dataclass(frozen=True)
class _Membership:
    pass


_Item = _Reply | _Failed | _Lost | _Stop | _Membership


class LinkGrid(Grid):
    """The grid of one run. Used by the run thread, except for `stop` and `membership_changed`.

    `check` raises ReplyInvalid for a reply that must not be used; an error reply then stands for it.
    `members` names the connected clients of the run whenever it is asked; `on_membership` is called, in the
    run thread, when a client has come or gone. Any call raises `RunStopped` once the run was stopped.
    """

    def __init__(
        self,
        link: LinkServer,
        run_id: int,
        members: Callable[[], Iterable[str]],
        observer: Observer,
        check: Callable[[Instruction, Message], None],
        on_membership: Callable[[], None],
    ) -> None:
        self._link = link
        self._run = empty_run(run_id)
        self._members = members
        self._observer = observer
        self._check = check
        self._on_membership = on_membership
        self._inbox: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._outstanding: dict[str, Instruction] = {}
        self._arrived: dict[str, Message] = {}
        self._client_ids: dict[int, str] = {}
        self._stopped: str | None = None

    # from other threads

    def stop(self, reason: str) -> None:
        """Make whatever the run thread waits for on this grid raise `RunStopped`."""
        self._inbox.put(_Stop(reason))

    def membership_changed(self) -> None:
        """A client came or went: have the run thread look, also when it waits in `wait_until`."""
        self._inbox.put(_Membership())

    def _put_reply(self, message_id: str, payload: bytes) -> None:
        self._inbox.put(_Reply(message_id, payload))

    def _put_failure(self, message_id: str, reason: str) -> None:
        self._inbox.put(_Failed(message_id, reason))

    def _put_lost(self, message_id: str, reason: str) -> None:
        self._inbox.put(_Lost(message_id, reason))

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
        self.raise_if_stopped()
        client_ids = list(self._members())
        self._client_ids.update({node_id_of(client_id): client_id for client_id in client_ids})
        return [node_id_of(client_id) for client_id in client_ids]

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        """Send messages; returns their ids. Raises ValueError, and sends none, if a node is unknown."""
        instructions = [self._instruct(message) for message in messages]
        self._observer.sent(instructions)
        self._outstanding.update({item.message.metadata.message_id: item for item in instructions})
        self._link.dispatch(self._tasks(instructions))
        return [item.message.metadata.message_id for item in instructions]

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        """The replies that have arrived since the last call to any of these messages; does not wait."""
        self.raise_if_stopped()
        return [self._arrived.pop(message_id) for message_id in message_ids if message_id in self._arrived]

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Generator[Message, None, None]:
        """Send messages at once; returns a generator that yields replies as they arrive.

        An error reply stands for a client that failed or was lost. After `timeout` seconds (None: never) the
        generator ends, and the clients that have not answered are told to stop.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        return self._replies(self.push_messages(messages), deadline)

    # waiting

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Block until `condition` holds; it is asked again whenever a client came or went."""
        self.raise_if_stopped()
        while not condition():
            self._handle(self._inbox.get())

    def raise_if_stopped(self) -> None:
        """Raise RunStopped once the run was stopped; takes in all that has arrived."""
        if self._stopped is not None:
            raise RunStopped(self._stopped)
        while not self._inbox.empty():
            self._handle(self._inbox.get())

    def withdraw_all(self, reason: str) -> None:
        """Tell every client that still works on a message of this run to stop."""
        for message_id in tuple(self._outstanding):
            self._withdraw(message_id, reason)

    def _replies(self, message_ids: list[str], deadline: float | None) -> Generator[Message, None, None]:
        awaited = set(message_ids)
        while awaited:
            for message_id in awaited & self._arrived.keys():
                awaited.remove(message_id)
                yield self._arrived.pop(message_id)
            if not awaited:
                return
            remaining = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            try:
                self._handle(self._inbox.get(timeout=remaining))
            except queue.Empty:
                for message_id in awaited:
                    self._withdraw(message_id, "the round's time is over")
                return

    def _handle(self, item: _Item) -> None:
        match item:
            case _Reply(message_id, payload):
                self._arrive(message_id, lambda instruction: self._read(instruction, payload))
            case _Failed(message_id, reason):
                self._arrive(message_id, lambda instruction: client_failed(instruction.message, reason))
            case _Lost(message_id, reason):
                self._arrive(message_id, lambda instruction: client_unavailable(instruction.message, reason))
            case _Stop(reason):
                self._stopped = reason
                raise RunStopped(reason)
            case _Membership():
                self._on_membership()

    def _arrive(self, message_id: str, read: Callable[[Instruction], Message]) -> None:
        instruction = self._outstanding.pop(message_id, None)
        if instruction is None:
            return  # withdrawn before
        reply = read(instruction)
        self._observer.replied(instruction, reply)
        self._arrived[message_id] = reply

    def _read(self, instruction: Instruction, payload: bytes) -> Message:
        """The reply in a payload; an error reply in place of one that cannot be used."""
        try:
            reply = decode(payload)
            _check_addresses(instruction.message, reply)
            if not reply.has_error():
                self._check(instruction, reply)
        except (WireError, ReplyInvalid) as error:
            return client_failed(instruction.message, str(error))
        return reply

    def _withdraw(self, message_id: str, reason: str) -> None:
        instruction = self._outstanding.pop(message_id, None)
        if instruction is not None:
            self._link.withdraw(instruction.client_id, message_id, reason)

    def _instruct(self, message: Message) -> Instruction:
        node_id = message.metadata.dst_node_id
        client_id = self._client_ids.get(node_id)
        if client_id is None:
            raise ValueError(
                f"There is no node {node_id} on this grid; take node ids from grid.get_node_ids()."
            )
        set_message_id(message, uuid.uuid4().hex)
        return Instruction(client_id, message, _round_of(message))

    def _tasks(self, instructions: Iterable[Instruction]) -> list[Task]:
        """The instructions as the link takes them; messages that share their content share its bytes."""
        contents: dict[int, tuple[int, list[bytes]]] = {}
        return [self._task(item, contents) for item in instructions]

    def _task(self, item: Instruction, contents: dict[int, tuple[int, list[bytes]]]) -> Task:
        """`contents`: size and frames of the contents that were serialised before, by identity."""
        content = item.message.content
        if id(content) not in contents:
            data = encode_content(content)
            frames = [_as_frame(chunk) for chunk in following(data, first_index=1)]
            contents[id(content)] = len(data), frames
        size, frames = contents[id(content)]
        envelope = encode_envelope(item.message)
        message_id = item.message.metadata.message_id
        return Task(
            message_id=message_id,
            client_id=item.client_id,
            message_type=item.message.metadata.message_type,
            round=item.round,
            opening=opening(message_id, len(envelope) + size, envelope),
            following=frames,
            on_reply=partial(self._put_reply, message_id),
            on_failure=partial(self._put_failure, message_id),
            on_lost=partial(self._put_lost, message_id),
        )


def _as_frame(chunk: Chunk) -> bytes:
    frame = ServerFrame()
    frame.task.CopyFrom(chunk)
    return bytes(frame.SerializeToString())


def _check_addresses(message: Message, reply: Message) -> None:
    sent, got = message.metadata, reply.metadata
    if (got.reply_to_message_id, got.src_node_id, got.run_id) != (
        sent.message_id,
        sent.dst_node_id,
        sent.run_id,
    ):
        raise ReplyInvalid("The reply belongs to another message than the one it came for.")


def _round_of(message: Message) -> int | None:
    """The round a message belongs to, as Flower's strategies put it into a config record or the group id."""
    for record in message.content.config_records.values():
        server_round = _server_round(record)
        if server_round is not None:
            return server_round
    group = message.metadata.group_id
    return int(group) if group.isdecimal() else None


def _server_round(record: ConfigRecord) -> int | None:
    server_round = record.get("server-round")
    return server_round if isinstance(server_round, int) else None
