"""Calls a ClientApp for one client in one run, message after message.

FedLoom sends `begin` with the run and the state that the app has kept so far, then messages, each with
`execute`, and each is answered by `reply` or by `raised`.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable

from flwr.app import Context, Message
from flwr.clientapp import ClientApp

from . import codec
from .channel import Channel, Frame
from .error_text import from_the_app, traceback_text
from .forks import only_here
from .log_socket import MAX_TEXT
from .registered import where_it_answers
from .serialised import Serialised

log = logging.getLogger("clientapp")


def prepare() -> Callable[[Channel, ClientApp], None]:
    """To be called before the app is imported; returns what serves it."""
    return serve


def serve(channel: Channel, app: ClientApp) -> None:
    """Do what FedLoom says, until it says `end`. Raises ChannelClosed when it is gone."""
    host = ClientHost(app)
    while (frame := channel.receive()).kind != "end":
        match frame.kind:
            case "begin":
                host.begin(frame)
            case "execute":
                host.execute(frame, channel)
            case kind:
                raise ValueError(f"FedLoom sent a frame of kind {kind!r}")


class NotAMessage(TypeError):
    """What the app returned is no reply."""


class ClientHost:
    """A ClientApp with its context."""

    def __init__(self, app: ClientApp) -> None:
        self._app = app
        self._context: Context | None = None
        self._told = Serialised(b"")
        """The state of the context as FedLoom has it."""

    def begin(self, frame: Frame) -> None:
        """Take a place in the run, or another one; the state that the app has here stays."""
        fields = frame.fields
        _use_threads(fields["threads"])
        if self._context is not None and self._context.run_id == fields["run_id"]:
            self._context.node_config = fields["node_config"]
            return
        self._told = Serialised(frame.parts[0], frame.parts[1:])
        self._context = Context(
            run_id=fields["run_id"],
            node_id=0,
            node_config=fields["node_config"],
            state=codec.decode_records(self._told.skeleton, self._told.arrays),
            run_config=fields["run_config"],
        )

    def execute(self, frame: Frame, channel: Channel) -> None:
        """Answer a message, whatever the app does with it."""
        message = codec.decode(frame.parts[0], frame.parts[1:])
        assert self._context is not None
        self._context.node_id = message.metadata.dst_node_id
        try:
            reply = codec.encode(self._call(message, self._context))
            state = codec.encode_records(self._context.state)
        except BaseException as error:  # the edge of somebody else's code
            error = from_the_app(error)
            log.error("%s failed", message.metadata.message_type, exc_info=error)
            channel.send("raised", reason=traceback_text(error)[-MAX_TEXT:])
            return
        parts = reply.parts
        if state != self._told:  # bytes that are the same objects, mostly
            parts += state.parts
            self._told = state
        channel.send("reply", parts, arrays=len(reply.arrays))

    def _call(self, message: Message, context: Context) -> Message:
        with only_here():
            reply: object = self._app(message, context)
        if not issubclass(type(reply), Message):  # asking the object itself may run code of the app
            kind = "None" if reply is None else f"a {type(reply).__name__}"
            where = where_it_answers(self._app, message.metadata.message_type)
            raise NotAMessage(f"{where} returned {kind}; it must return a Message, the reply.")
        assert isinstance(reply, Message)
        return reply


def _use_threads(number: int) -> None:
    """Have PyTorch, or else what starts OpenMP later, use so many threads."""
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(number)
    else:
        os.environ["OMP_NUM_THREADS"] = str(number)
