"""Flower's simulation engine, of which little is public API: the Ray actors that stand for clients.

`tests/unit/test_flower.py` fails in words when an upgrade of Flower moves a name. Needs Ray, and brings much
of Flower: for the process of the engine alone.

Of the engine it takes what calls ClientApps, and not what stores messages for them: that looks through all
messages for each client, ten times a second, and is the slowest part by far where there are a thousand.
"""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping

from flwr.app import Context, Error, Message, RecordDict, UserConfig
from flwr.clientapp import ClientApp
from flwr.common.constant import NUM_PARTITIONS_KEY, PARTITION_ID_KEY, ErrorCode
from flwr.server.superlink.fleet.vce.backend.raybackend import RayBackend
from ray.exceptions import RayActorError

from shared.flower import FlowerRun, empty_run, set_message_id

RUN_ID = 1
"""Of the engine's only run."""


class RayGrid:
    """As much of a Grid as it takes to have simulated nodes answer messages."""

    def __init__(
        self,
        load: Callable[[], ClientApp],
        nodes: Mapping[int, int],
        node_config: UserConfig,
        run_config: UserConfig,
        *,
        cpus: float,
        all_cpus: int,
        temporary: str,
        on_failure: Callable[[BaseException], object],
    ) -> None:
        """Start Ray, with as many workers as have `cpus` each of `all_cpus`.

        `load` gives a worker the ClientApp. `nodes`: the part of the data that each node has, by its id;
        `node_config`: what else each is told. `temporary`: the folder for Ray's own files; its path must be
        short, as sockets lie in it.
        `on_failure`: called when a worker has died.
        """
        self.run: FlowerRun = empty_run(RUN_ID)
        self._contexts = {
            node_id: Context(
                run_id=RUN_ID,
                node_id=node_id,
                node_config={**node_config, PARTITION_ID_KEY: part, NUM_PARTITIONS_KEY: len(nodes)},
                state=RecordDict(),
                run_config=run_config,
            )
            for node_id, part in nodes.items()
        }
        self._on_failure = on_failure
        self._given: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._replies: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._backend = RayBackend(
            {
                "client_resources": {"num_cpus": cpus, "num_gpus": 0.0},
                "init_args": {
                    "num_cpus": all_cpus,
                    "include_dashboard": False,
                    "logging_level": "ERROR",
                    "log_to_driver": False,
                    "_node_ip_address": "127.0.0.1",
                    "_temp_dir": temporary,
                },
            }
        )
        self._backend.build(load)
        self.workers = self._backend.num_workers
        for number in range(self.workers):
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True).start()

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        """Give messages to their nodes; returns their ids."""
        message_ids = []
        for message in messages:
            set_message_id(message, uuid.uuid4().hex)
            message_ids.append(message.metadata.message_id)
            self._given.put(message)
        return message_ids

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        """The replies that have come, to whatever they are."""
        replies = []
        while not self._replies.empty():
            replies.append(self._replies.get())
        return replies

    def _work(self) -> None:
        """The edge of a thread: what a ClientApp has raised is its reply."""
        while True:
            message = self._given.get()
            node_id = message.metadata.dst_node_id
            try:
                reply, context = self._backend.process_message(message, self._contexts[node_id])
                self._contexts[node_id] = context
            except RayActorError as error:
                self._on_failure(error)
                return
            except Exception as error:  # noqa: BLE001
                reason = Error(code=ErrorCode.CLIENT_APP_RAISED_EXCEPTION, reason=str(error))
                reply = Message(reason, reply_to=message)
            self._replies.put(reply)
