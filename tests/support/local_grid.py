"""A Flower grid inside this process: real ClientApps, some of which may be malicious."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flwr.app import Context, Message, RecordDict, UserConfig
from flwr.clientapp import ClientApp
from pydantic import ValidationError

from bench.in_process import RUN_ID, InProcessGrid
from shared.errors import FedLoomError
from shared.flower import client_failed

FIRST_NODE_ID = 2

Tamper = Callable[[Message, Message], None]
"""Changes a reply (second) to a message (first) in place, as a malicious client would."""


class LocalGrid(InProcessGrid):
    """So many clients with the parts of a data set, nodes 2, 3, 4, …; those in `tampering` are malicious."""

    def __init__(
        self,
        client_app: ClientApp,
        clients: int,
        run_config: UserConfig,
        tampering: Mapping[int, Tamper] | None = None,
    ) -> None:
        """`tampering`: by part (from 0), what becomes of that client's replies."""
        contexts = {
            FIRST_NODE_ID + part: Context(
                run_id=RUN_ID,
                node_id=FIRST_NODE_ID + part,
                node_config={"partition-id": part, "num-partitions": clients},
                state=RecordDict(),
                run_config=run_config,
            )
            for part in range(clients)
        }
        super().__init__({node: (client_app, context) for node, context in contexts.items()})
        self._tampering = dict(tampering or {})

    def answer(self, message: Message) -> Message:
        """As of InProcessGrid; a client's failure is an answer."""
        try:
            reply = super().answer(message)
        except (FedLoomError, ValidationError) as error:  # as client.runtime does
            return client_failed(message, str(error))
        if (tamper := self._tampering.get(message.metadata.dst_node_id - FIRST_NODE_ID)) is not None:
            tamper(message, reply)
        return reply
