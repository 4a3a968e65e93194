"""A ServerApp's host in a thread of the test, on a real channel, with clients that answer at once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from flwr.app import Context, Message, MetricRecord, RecordDict, UserConfig
from flwr.serverapp import Grid, ServerApp

from app.federation.grid.link_grid import LinkGrid
from app.federation.link.task import Task
from app.federation.rounds.foreign_replies import open_any_reply
from app.federation.runs.hosted_server_app import HostedServerApp
from shared.app_host import server_host
from shared.app_host.channel import Channel, ChannelClosed, Frame
from shared.app_host.hooks import Hooks
from shared.errors import AppDied, FedLoomError
from tests.support.fake_link import RUN_ID, FakeLink, FakeOwner, Watching
from tests.support.payloads import payload_of

Main = Callable[[Any, Context], Any]
"""What an app does: the function that `@app.main()` takes."""


def context_of(run_config: UserConfig) -> Context:
    """What a run's ServerApp is called with."""
    return Context(run_id=RUN_ID, node_id=1, node_config={}, state=RecordDict(), run_config=run_config)


class AnsweringLink(FakeLink):
    """Clients that answer each message with its own records, and with a loss; those who are `silent` do
    not."""

    def __init__(self) -> None:
        super().__init__()
        self.silent: set[str] = set()
        self.tasks_in_order: list[Task] = []
        self._answering = threading.Lock()

    def dispatch(self, tasks: Iterable[Task]) -> None:
        tasks = list(tasks)
        super().dispatch(tasks)
        self.tasks_in_order += tasks
        for task in tasks:
            if task.client_id not in self.silent:
                self.answer(task.client_id)

    def answer(self, client_id: str) -> None:
        """A client that was silent answers the last message that it got."""
        with self._answering:
            message = self.sent_to(client_id)
            records = dict(message.content.array_records.items())
            answer = MetricRecord({"num-examples": 3, "loss": 0.5})
            reply = Message(RecordDict({**records, "metrics": answer}), reply_to=message)
            self.deliver(client_id, payload_of(reply))


class Told:
    """Writes down what the app's hooks tell."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int | None, dict[str, float]]] = []

    def app_evaluated(self, number: int | None, metrics: Mapping[str, float]) -> None:
        self.told.append(("server", number, dict(metrics)))

    def app_aggregated(self, kind: str, number: int | None, metrics: Mapping[str, float]) -> None:
        self.told.append((kind, number, dict(metrics)))


class ThreadHost:
    """In place of an AppProcess."""

    def __init__(self, server_app: ServerApp, hooks: Hooks) -> None:
        ours, theirs = socket.socketpair()
        self._channel, self._their_channel = Channel(ours), Channel(theirs)
        self.did: list[str] = []
        self.may_load = threading.Event()
        self.may_load.set()
        self.load_error: FedLoomError | None = None
        self.thread = threading.Thread(target=self._serve, args=(server_app, hooks), daemon=True)
        self.thread.start()

    def _serve(self, server_app: ServerApp, hooks: Hooks) -> None:
        with suppress(ChannelClosed):
            server_host.serve(hooks, self._their_channel, server_app)

    def load(self) -> None:
        assert self.may_load.wait(10)
        if self.load_error is not None:
            raise self.load_error

    def send(self, kind: str, parts: Any = (), **fields: Any) -> None:
        try:
            self._channel.send(kind, parts, **fields)
        except ChannelClosed as error:
            raise AppDied("It is gone.", "what it said last") from error

    def receive(self) -> Frame:
        try:
            return self._channel.receive()
        except ChannelClosed as error:
            raise AppDied("It is gone.", "what it said last") from error

    def die(self) -> None:
        """As a process that crashes."""
        self._their_channel.close()

    def say(self, kind: str, **fields: Any) -> None:
        """Send what no host would send."""
        self._their_channel.send(kind, **fields)

    def broken(self, what: str) -> AppDied:
        self.did.append("was ended for what it sent")
        return AppDied(what)

    def pause(self, paused: bool) -> None:
        self.did.append("was paused" if paused else "went on")

    def end(self, grace_s: float) -> None:
        self.did.append("was asked to end")
        self.send("end")
        self.thread.join(grace_s)
        assert not self.thread.is_alive(), "it does not end when it is asked to"

    def close(self) -> None:
        self.did.append("was closed")
        self._channel.close()
        self._their_channel.close()


class Lab:
    """Runs ServerApps with three clients."""

    def __init__(self, hooks: Hooks | None = None) -> None:
        self.link = AnsweringLink()
        self.owner = FakeOwner()
        self.watching = Watching()
        self.told = Told()
        self.grid = LinkGrid(self.link, RUN_ID, self.owner, self.watching, open_any_reply)
        self._hooks = hooks or Hooks()

    def start(self, main: Main) -> ThreadHost:
        """A host with this app, not yet called."""
        server_app = ServerApp()
        server_app.main()(main)
        return ThreadHost(server_app, self._hooks)

    def hosted(self, host: ThreadHost) -> HostedServerApp:
        """The run's end of it, not yet begun."""
        return HostedServerApp(lambda: host, self.grid, self.told)

    def carry_out(self, host: ThreadHost, run_config: UserConfig | None = None) -> None:
        """Have it called, from start to end."""
        hosted = self.hosted(host)
        hosted.begin()
        try:
            hosted.wait_until(lambda: hosted.is_ready)
            hosted.call(context_of(run_config or {}))
        finally:
            hosted.close()

    def run(self, main: Main) -> ThreadHost:
        """Both."""
        host = self.start(main)
        self.carry_out(host)
        return host

    def result(self, function: Callable[[Any], Any]) -> Any:
        """What a function returns that an app calls with its grid; raises what that raises."""
        outcome: list[Any] = []

        def main(grid: Grid, context: Context) -> None:
            try:
                outcome.append(function(grid))
            except Exception as error:  # noqa: BLE001 - raised below
                outcome.append(error)

        self.run(main)
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]
