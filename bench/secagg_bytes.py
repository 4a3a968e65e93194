"""The bytes of a training's messages: real ones, each as it is serialised, of clients that return at once."""

from __future__ import annotations

from flwr.app import ConfigRecord, Context, Message, RecordDict

from app.federation.rounds.attempts import Attempts
from app.federation.rounds.budgets import Budgets
from app.federation.rounds.callbacks import WaitForNodes
from app.federation.rounds.secure import SecureRounds
from app.federation.strategies import build_strategy
from bench import echo
from bench.in_process import RUN_ID, ClientCall, InProcessGrid
from client.masking import Masking
from shared.flower import encode, node_id_of
from shared.run_spec import RunSpec
from shared.secagg.member import Member
from shared.secagg.settings import SecureAggregation
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair

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
        attempts = Attempts(grid, spec, strategy.minimum_updates, told, Budgets(spec))
        SecureRounds(grid, spec, settings, strategy, told, attempts, SERVER).train(arrays, 1)
    return grid.bytes


def _client(name: str, settings: SecureAggregation | None) -> ClientCall:
    if settings is None:
        return echo.app
    member = Member(name, KeyPair.make(), node_id_of, lambda _: None)
    return Masking(echo.app, member, lambda: (SERVER,))


class _CountingGrid(InProcessGrid):
    """Counts what would travel."""

    def __init__(self, clients: dict[str, ClientCall], spec: RunSpec) -> None:
        config = spec.to_run_config()
        nodes = {node_id_of(name): call for name, call in clients.items()}
        super().__init__(
            {
                node: (call, Context(RUN_ID, node, {}, state=RecordDict(), run_config=config))
                for node, call in nodes.items()
            }
        )
        self.bytes = 0

    def answer(self, message: Message) -> Message:
        """As of InProcessGrid."""
        reply = super().answer(message)
        self.bytes += _size(message) + _size(reply)
        return reply


def _size(message: Message) -> int:
    return sum(map(len, encode(message).parts))
