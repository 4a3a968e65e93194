"""The bytes of a training's messages: real ones, each as it is serialised, of clients that return at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from functools import partial

from flwr.app import ConfigRecord, Context, Message, RecordDict
from flwr.serverapp import Grid

from app.federation.rounds.budgets import Budgets
from app.federation.rounds.secure import SecureRounds
from app.federation.rounds.server_app import WaitForNodes
from app.federation.strategies import build_strategy
from bench import echo
from client.masking import ClientCall, Masking
from shared.flower import FlowerRun, empty_run, encode, identify_server_task, node_id_of, set_message_id
from shared.run_spec import RunSpec
from shared.secagg.client import Member
from shared.secagg.settings import SecureAggregation
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair

RUN_ID = 1
SERVER = KeyId(bytes(32))


def bytes_of_a_round(clients: int, settings: SecureAggregation | None) -> int:
    """What goes to all clients and comes back when they train once; settings None: in the clear."""
    secure = None if settings is None else settings.model_dump()
    spec = RunSpec.model_validate({"min_clients": max(clients, 2), "secure_aggregation": secure})
    strategy, arrays = build_strategy(spec), echo.initial_arrays()
    grid = _CountingGrid(
        {f"client-{number}": _client(f"client-{number}", settings) for number in range(clients)}, spec
    )
    if settings is None:
        for _ in grid.send_and_receive(strategy.configure_train(1, arrays, ConfigRecord(), grid)):
            pass
    else:
        told = WaitForNodes(grid, clients)
        SecureRounds(grid, spec, settings, strategy, told, Budgets(spec), SERVER).train(arrays, 1)
    return grid.bytes


def _client(name: str, settings: SecureAggregation | None) -> ClientCall:
    if settings is None:
        return echo.app
    member = Member(name, KeyPair.make(), node_id_of, lambda _: None)
    return Masking(echo.app, member, lambda: (SERVER,))


class _CountingGrid(Grid):
    """Calls clients of this process, and counts what would travel."""

    def __init__(self, clients: dict[str, ClientCall], spec: RunSpec) -> None:
        identify_server_task(RUN_ID)
        self.bytes = 0
        self._replies: dict[str, Message] = {}
        self._clients = {node_id_of(name): call for name, call in clients.items()}
        self._context = partial(
            Context, RUN_ID, node_config={}, state=RecordDict(), run_config=spec.to_run_config()
        )

    def set_run(self, run: FlowerRun) -> None:
        """Part of Flower's interface."""

    @property
    def run(self) -> FlowerRun:
        """Flower's description of the run."""
        return empty_run(RUN_ID)

    def create_message(
        self,
        content: RecordDict,
        message_type: str,
        dst_node_id: int,
        group_id: str,
        ttl: float | None = None,
    ) -> Message:
        """A new message."""
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
        return [self._replies.pop(each) for each in message_ids if each in self._replies]

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> Iterator[Message]:
        """Each reply as it is computed."""
        for message in messages:
            set_message_id(message, uuid.uuid4().hex)
            node = message.metadata.dst_node_id
            reply = self._clients[node](message, self._context(node))
            self.bytes += _size(message) + _size(reply)
            yield reply


def _size(message: Message) -> int:
    return sum(map(len, encode(message).parts))
