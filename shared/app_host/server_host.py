"""The ServerApp's side of its process: calls the app once, with a grid that goes through FedLoom."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flwr.app import Context, RecordDict
from flwr.serverapp import ServerApp
from flwr.supercore.task_identity import TaskIdentity

from .calls import Calls
from .channel import Channel, Frame
from .error_text import error_text, from_the_app, traceback_text
from .forks import only_here
from .grid import HostGrid
from .hooks import Hooks
from .text import shortened

MAX_REASON = 2_000
MAX_TRACEBACK = 60_000
"""Characters of what an error says: an app may put a whole model in there."""


def prepare() -> Callable[[Channel, ServerApp], None]:
    """To be called before the app is imported; returns what serves it."""
    hooks = Hooks()
    hooks.install()
    return partial(serve, hooks)


def serve(hooks: Hooks, channel: Channel, server_app: ServerApp) -> None:
    """Carry out the run that FedLoom asks for, if it does; returns when the process is needed no more.

    Raises ChannelClosed when FedLoom is gone.
    """
    frame = channel.receive()
    if frame.kind == "run":
        _Run(channel, hooks).carry_out(server_app, frame)


@dataclass(frozen=True)
class _Raised:
    reason: str
    traceback: str


class _Run:
    """One call of a ServerApp."""

    def __init__(self, channel: Channel, hooks: Hooks) -> None:
        self._channel = channel
        self._hooks = hooks
        self._ended = threading.Event()
        self._calls = Calls(channel, self._ended.set)

    def carry_out(self, server_app: ServerApp, frame: Frame) -> None:
        """Call the app, tell what became of it, and wait until FedLoom has taken note."""
        context = _context(frame.fields)
        TaskIdentity.task_id = TaskIdentity.run_id = context.run_id
        TaskIdentity.node_id = context.node_id
        self._hooks.report = _Told(self._calls)
        self._calls.start()
        outcome = self._outcome(server_app, HostGrid(self._calls, context.run_id), context)
        if outcome is None:
            self._channel.send("finished")
        else:
            self._channel.send("raised", reason=outcome.reason, traceback=outcome.traceback)
        self._ended.wait()

    def _outcome(self, server_app: ServerApp, grid: HostGrid, context: Context) -> _Raised | None:
        """What the app raised, in words; None when it did what it was to do."""
        try:
            with only_here():
                _call(server_app, grid, context)
            self._calls.settle()
        except BaseException as error:  # noqa: BLE001 - whatever the app raises is the run's failure
            return _raised(error)
        return None


def _call(server_app: ServerApp, grid: HostGrid, context: Context) -> None:
    try:
        server_app(grid, context)
    except SystemExit as error:
        if error.code not in (None, 0):
            raise


def _raised(error: BaseException) -> _Raised:
    """An error in a line, and its traceback from where the app was called."""
    text = traceback_text(from_the_app(error))  # first: one that cannot say what it is adds to it
    reason = f"sys.exit({error.code!r})" if isinstance(error, SystemExit) else error_text(error)
    return _Raised(reason[:MAX_REASON], shortened(text, MAX_TRACEBACK))


class _Told:
    """The hooks' Report. FedLoom takes it before whatever the app asks for next."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def evaluated(self, number: int | None, metrics: Mapping[str, float]) -> None:
        self._calls.tell("evaluated", number=number, metrics=dict(metrics))

    def aggregated(self, kind: str, number: int | None, metrics: Mapping[str, float]) -> None:
        self._calls.tell("aggregated", stage=kind, number=number, metrics=dict(metrics))


def _context(fields: Mapping[str, Any]) -> Context:
    return Context(
        run_id=fields["run_id"],
        node_id=fields["node_id"],
        node_config=fields["node_config"],
        state=RecordDict(),
        run_config=fields["run_config"],
    )
