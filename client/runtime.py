"""Executes Flower messages with a ClientApp, one at a time, in a thread that stays warm between them."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Mapping

import torch
from flwr.app import Context, Message, RecordDict, UserConfig

from client.pause_gate import PauseGate
from client.progress import reporting_to
from client.work import Reporter, Work
from shared.app_host.serialised import Serialised
from shared.error_text import error_text, message_of, traceback_text
from shared.errors import Cancelled, FedLoomError, WireError
from shared.flower import client_failed, decode, encode
from shared.payload import require_size
from shared.proto.link_pb2 import Assignment, LabelCounts, Value
from shared.wire import MAX_LOG_TEXT, from_values

log = logging.getLogger(__name__)


class Runtime:
    """A ClientApp with its context. `assign` and `execute` may be called from any thread."""

    def __init__(
        self, client_app: Callable[[Message, Context], Message], node_config: UserConfig, threads: int | None
    ) -> None:
        self._app = client_app
        self._node_config = dict(node_config)
        self._threads = threads
        self._queue: queue.SimpleQueue[Work | Assignment | None] = queue.SimpleQueue()
        self._context: Context | None = None
        self._gate = PauseGate()
        self._thread = threading.Thread(target=self._run, name="runtime", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def cancel(self, work: Work) -> None:
        """Give up a message: at once if it has not begun, else as soon as the app reports progress."""
        work.cancelled.set()
        self._gate.wake()

    def pause(self, paused: bool) -> None:
        """Have the app wait where it reports progress next, or go on."""
        self._gate.close() if paused else self._gate.open()

    def stop(self, timeout_s: float) -> None:
        """End the thread once its current message allows; wait at most `timeout_s`."""
        self._gate.open()
        self._queue.put(None)
        self._thread.join(timeout_s)

    def assign(self, assignment: Assignment) -> None:
        """Take a place in a run; messages that follow belong to it."""
        self._queue.put(assignment)

    def execute(self, work: Work) -> None:
        """Queue a message."""
        self._queue.put(work)

    # in the runtime's thread

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                if isinstance(item, Assignment):
                    self._begin(item)
                else:
                    self._work(item)
            except BaseException:  # the edge of the thread, which outlasts every message
                log.exception("an unexpected error in the client")

    def _begin(self, assignment: Assignment) -> None:
        cores = os.cpu_count() or 1
        torch.set_num_threads(self._threads or max(1, cores // max(assignment.clients_on_host, 1)))
        # What the client was started with goes before what the server says.
        node_config = {**_or_empty(assignment.node_config), **self._node_config}
        if self._context is not None and self._context.run_id == assignment.run_id:
            self._context.node_config = node_config  # told again after a reconnect: the app's state stays
            return
        self._context = Context(
            run_id=assignment.run_id,
            node_id=0,
            node_config=node_config,
            state=RecordDict(),
            run_config=_or_empty(assignment.run_config),
        )
        log.info(
            "takes part in run %s with part %s of %s",
            assignment.run,
            node_config.get("partition-id"),
            node_config.get("num-partitions"),
        )

    def _work(self, work: Work) -> None:
        """Every message is answered, or given up on request."""
        with work.payload:
            answer = self._answer(work)
        if work.cancelled.is_set():
            work.released(work.message_id)
        elif isinstance(answer, Serialised):
            work.reply(work.message_id, answer)
        else:
            work.fail(work.message_id, answer)

    def _answer(self, work: Work) -> Serialised | str:
        """The reply, or why there is none."""
        if work.cancelled.is_set():
            return "it is no longer wanted"
        try:
            reply = encode(self._reply(decode(work.payload), work))
            require_size(len(reply.skeleton), reply.array_bytes)
        except Cancelled as cancelled:
            log.info("gave up a message: %s", cancelled)
            return str(cancelled)
        except WireError as error:
            log.error("a message from the server could not be answered: %s", error)
            return str(error)
        except BaseException as error:  # the edge of what is done for the server
            log.exception("a message from the server could not be answered")
            return error_text(error)[:MAX_LOG_TEXT]
        return reply

    def _reply(self, message: Message, work: Work) -> Message:
        """What the ClientApp answers; its failure is an answer, too.

        Whatever it raises: Ctrl-C interrupts the main thread, so that a KeyboardInterrupt here is the app's.
        """
        try:
            return self._call(message, work)
        except FedLoomError as error:
            if isinstance(error, WireError) or (isinstance(error, Cancelled) and work.cancelled.is_set()):
                raise
            reason = message_of(error)
            log.error("%s failed: %s", message.metadata.message_type, reason)
        except BaseException as error:  # the edge of somebody else's code
            log.exception("%s failed", message.metadata.message_type)
            reason = traceback_text(error)
        return client_failed(message, reason[-MAX_LOG_TEXT:])

    def _call(self, message: Message, work: Work) -> Message:
        if self._context is None or self._context.run_id != message.metadata.run_id:
            raise WireError("The server sent a message of a run in which it gave this client no place.")
        self._context.node_id = message.metadata.dst_node_id
        run_id = self._context.run_id
        with reporting_to(
            Reporter(work, self._gate),
            lambda counts: work.labels(LabelCounts(run_id=run_id, counts=counts)),
        ):
            return self._app(message, self._context)


def _or_empty(values: Mapping[str, Value]) -> UserConfig:
    """A config from the server; one that cannot be read is left out, and the app says what it misses."""
    try:
        return from_values(values)
    except WireError:
        log.exception("a config from the server cannot be read")
        return {}
