"""A Flower grid inside this process: real ClientApps, called one after the other, no network."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping

from flwr.app import Context, Message, RecordDict, UserConfig
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid
from pydantic import ValidationError

from shared.errors import FedLoomError
from shared.flower import FlowerRun, client_failed, empty_run, identify_server_task, set_message_id

RUN_ID = 1
FIRST_NODE_ID = 2

Tamper = Callable[[Message, Message], None]
"""Changes a reply (second) to a message (first) in place, as a malicious client would."""


class LocalGrid(Grid):
    """So many clients with the parts of a data set, nodes 2, 3, 4, …; those in `tampering` are malicious."""

    def __init__(
        self,
        client_app: ClientApp,
        clients: int,
        run_config: UserConfig,
        tampering: Mapping[int, Tamper] | None = None,
    ) -> None:
        """`tampering`: by part (from 0), what becomes of that client's replies."""
        identify_server_task(RUN_ID)
        self._app = client_app
        self._run = empty_run(RUN_ID)
        self._tampering = dict(tampering or {})
        self._replies: dict[str, Message] = {}
        self._contexts = {
            FIRST_NODE_ID + part: Context(
                run_id=RUN_ID,
                node_id=FIRST_NODE_ID + part,
                node_config={"partition-id": part, "num-partitions": clients},
                state=RecordDict(),
                run_config=run_config,
            )
            for part in range(clients)
        }

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
        return list(self._contexts)

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        """Has the clients answer at once."""
        replies = {reply.metadata.reply_to_message_id: reply for reply in map(self._answer, messages)}
        self._replies |= replies
        return list(replies)

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        """The replies to these messages, once each."""
        return [self._replies.pop(message_id) for message_id in message_ids if message_id in self._replies]

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterator[Message]:
        """Each reply as it is computed."""
        return map(self._answer, messages)

    def _answer(self, message: Message) -> Message:
        set_message_id(message, uuid.uuid4().hex)
        context = self._contexts[message.metadata.dst_node_id]
        try:
            reply = self._app(message, context)
        except (FedLoomError, ValidationError) as error:  # as client.runtime does
            return client_failed(message, str(error))
        if (tamper := self._tampering.get(message.metadata.dst_node_id - FIRST_NODE_ID)) is not None:
            tamper(message, reply)
        return reply
