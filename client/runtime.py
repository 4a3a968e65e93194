"""Executes Flower messages, one at a time, in a thread that stays warm between them."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from flwr.app import UserConfig

from client.site.declines import Declines
from client.site.rules import Declined
from client.work import Work
from shared.app_host.serialised import Serialised
from shared.error_text import error_text
from shared.errors import Cancelled, WireError
from shared.payload import require_size
from shared.proto.link_pb2 import Assignment, Value
from shared.wire import MAX_LOG_TEXT, from_values

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """A client's place in a run."""

    run_id: int
    node_config: UserConfig
    run_config: UserConfig
    threads: int
    """How many CPU threads there are for this client."""
    clients: int = 0
    """How many take part in the run, by the server's word."""


class LocalApp(Protocol):
    """What answers the messages: the built-in ClientApp, or another one in its own process."""

    # in the runtime's thread

    def begin(self, place: Place) -> None:
        """Take a place in a run; or another one in the same run, and keep the app's state."""

    def answer(self, work: Work) -> Serialised:
        """The reply to a message; the ClientApp's failure is one, too. Raises Cancelled, Declined where the
        site takes no part, or WireError for a message that cannot be answered."""

    def end_run(self) -> None:
        """The run is over: let go of what belongs to it."""

    def make_ready(self) -> None:
        """There is nothing to do: prepare for what may come."""

    # in any thread

    def cancel(self, work: Work) -> None:
        """`work` was cancelled: give it up if it is being answered."""

    def abandon(self) -> None:
        """The run is over: give up what is being answered at once."""

    def pause(self, paused: bool) -> None:
        """Hold, or go on."""

    def close(self) -> None:
        """The client ends: nothing is answered any more."""


class Runtime:
    """Has an app execute what comes. All but `_run` and what that calls may be called from any thread."""

    def __init__(self, app: LocalApp, node_config: UserConfig, threads: int | None) -> None:
        self._app = app
        self._node_config = dict(node_config)
        self._threads = threads
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._run_id = 0
        """The run in which the client was given a place last; 0: in none."""
        self._declines = Declines()
        self._thread = threading.Thread(target=self._run, name="runtime", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """End the thread, as soon as its current message allows; wait at most `timeout_s`."""
        self._queue.put(None)
        self._app.close()
        self._thread.join(timeout_s)

    def assign(self, assignment: Assignment) -> None:
        """Take a place in a run; messages that follow belong to it."""
        self.stay_in(assignment.run_id)
        is_new, self._run_id = self._run_id != assignment.run_id, assignment.run_id
        self._queue.put(lambda: self._begin(assignment, is_new))

    def stay_in(self, run_id: int) -> None:
        """The client is in this run, or with 0 in none: another one that it was in is over."""
        if self._run_id not in (0, run_id):
            self._run_id = 0
            self._app.abandon()
            self._queue.put(self._app.end_run)

    def execute(self, work: Work) -> None:
        """Queue a message."""
        self._queue.put(lambda: self._work(work))

    def call(self, work: Callable[[], None]) -> None:
        """Queue something else to be done in the thread, which holds nobody up for long."""
        self._queue.put(work)

    def cancel(self, work: Work) -> None:
        """Give up a message: at once if it has not begun, else as soon as the app can."""
        work.cancelled.set()
        self._app.cancel(work)

    def pause(self, paused: bool) -> None:
        """Have the app hold, or go on."""
        self._app.pause(paused)

    # in the runtime's thread

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            for step in (item, self._app.make_ready):
                try:
                    step()
                except BaseException:  # the edge of the thread, which outlasts every message
                    log.exception("an unexpected error in the client")

    def _begin(self, assignment: Assignment, is_new: bool) -> None:
        # What the client was started with goes before what the server says.
        node_config = {**_or_empty(assignment.node_config), **self._node_config}
        if is_new:  # and not told again after a reconnect
            part, parts = node_config.get("partition-id"), node_config.get("num-partitions")
            log.info("takes part in run %s with part %s of %s", assignment.run, part, parts)
        self._declines.begin(assignment.run)
        self._app.begin(
            Place(
                run_id=assignment.run_id,
                node_config=node_config,
                run_config=_or_empty(assignment.run_config),
                threads=self._threads or max(1, (os.cpu_count() or 1) // max(assignment.clients_on_host, 1)),
                clients=assignment.clients,
            )
        )

    def _work(self, work: Work) -> None:
        """Every message is answered, or given up on request."""
        with work.payload:
            answer = self._answer(work)
        if work.cancelled.is_set():
            work.released(work.message_id)
        elif isinstance(answer, Serialised):
            work.reply(work.message_id, answer)
        elif isinstance(answer, Declined):
            work.decline(work.message_id, answer.rule, str(answer))
        else:
            work.fail(work.message_id, answer)

    def _answer(self, work: Work) -> Serialised | Declined | str:
        """The reply, or why there is none."""
        if work.cancelled.is_set():
            return "it is no longer wanted"
        try:
            reply = self._app.answer(work)
            require_size(len(reply.skeleton), reply.array_bytes)
        except Declined as declined:
            self._declines.tell(declined)
            return declined
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


def _or_empty(values: Mapping[str, Value]) -> UserConfig:
    """A config from the server; one that cannot be read is left out, and the app says what it misses."""
    try:
        return from_values(values)
    except WireError:
        log.exception("a config from the server cannot be read")
        return {}
