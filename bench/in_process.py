"""InProcessGrid: a Flower grid in this process, whose clients are called one after the other. No network."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping

from flwr.app import Context, Message, RecordDict
from flwr.serverapp import Grid

from shared.flower import FlowerRun, empty_run, identify_server_task, set_message_id

RUN_ID = 1

ClientCall = Callable[[Message, Context], Message]
"""As a Flower ClientApp is called."""


class InProcessGrid(Grid):
    """Of clients by their node ids, each with its context, which lasts."""

    def __init__(self, clients: Mapping[int, tuple[ClientCall, Context]]) -> None:
        identify_server_task(RUN_ID)
        self._run = empty_run(RUN_ID)
        self._clients = dict(clients)
        self._replies: dict[str, Message] = {}

    def set_run(self, run: FlowerRun) -> None:
        """Part of Flower's interface."""
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
        """A new message from the run's ServerApp."""
        return Message(content, dst_node_id, message_type, ttl=ttl, group_id=group_id)

    def get_node_ids(self) -> list[int]:
        """All clients."""
        return list(self._clients)

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        """Has the clients answer at once."""
        replies = {reply.metadata.reply_to_message_id: reply for reply in self.send_and_receive(messages)}
        self._replies |= replies
        return list(replies)

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        """The replies to these messages, once each."""
        return [self._replies.pop(message_id) for message_id in message_ids if message_id in self._replies]

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterator[Message]:
        """Each reply as it is computed."""
        for message in messages:
            set_message_id(message, uuid.uuid4().hex)
            yield self.answer(message)

    def answer(self, message: Message) -> Message:
        """What the client of a message says to it."""
        call, context = self._clients[message.metadata.dst_node_id]
        return call(message, context)
