"""A ClientApp in a process of its own, asked as a client asks it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flwr.app import Message, MetricRecord, RecordDict

from shared.app_host.codec import decode, decode_records, encode_records
from shared.app_host.serialised import Serialised
from shared.app_process import AppProcess
from shared.flower import encode, identify_server_task, set_message_id
from shared.flower_app import read_app
from tests.support.apps import write_app

RUN_ID = 7

CLIENT_HEAD = """
import logging, multiprocessing, os, signal, sys, threading, time
from pathlib import Path
from flwr.app import Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

app = ClientApp()


def answer(msg, **metrics):
    return Message(RecordDict({"metrics": MetricRecord(metrics)}), reply_to=msg)


"""
"""How the ClientApps of tests begin; what follows has `query` answer."""


def a_message(message_type: str = "query", content: RecordDict | None = None) -> Message:
    """A message of the run, without content as a rule."""
    identify_server_task(RUN_ID)
    message = Message(RecordDict() if content is None else content, 5, message_type)
    set_message_id(message, "m")
    return message


def metrics_of(reply: Message) -> dict[str, Any]:
    """The metrics of a reply by `answer`."""
    record = reply.content["metrics"]
    assert isinstance(record, MetricRecord)
    return dict(record)


class AskedApp:
    """A ClientApp's process that has a place in the run."""

    def __init__(self, client_app: str, folder: Path) -> None:
        app = read_app(write_app(folder, "pkg", client_app=CLIENT_HEAD + client_app))
        self.process = AppProcess.start(app, app.folder, "client", cwd=folder)
        self.state = encode_records(RecordDict())

    def load(self) -> None:
        """Have it import the app, and begin."""
        self.process.load()
        self.process.send(
            "begin",
            [self.state.skeleton, *self.state.arrays],
            run_id=RUN_ID,
            node_config={"partition-id": 0},
            run_config={},
            threads=1,
        )

    def tell(self, message: Message) -> None:
        """Send a message."""
        sent = encode(message)
        self.process.send("execute", [sent.skeleton, *sent.arrays])

    def reply(self) -> Message:
        """The reply, which must be one."""
        frame = self.process.receive()
        assert frame.kind == "reply", frame.fields
        arrays = frame.fields["arrays"]
        if state := frame.parts[arrays + 1 :]:
            self.state = Serialised(state[0], state[1:])
        return decode(frame.parts[0], frame.parts[1 : arrays + 1])

    def query(self) -> dict[str, Any]:
        """The metrics that `query` answers with."""
        self.tell(a_message())
        return metrics_of(self.reply())

    def failure(self) -> str:
        """What `query` raises."""
        self.tell(a_message())
        frame = self.process.receive()
        assert frame.kind == "raised"
        return str(frame.fields["reason"])

    def kept(self) -> RecordDict:
        """The app's state as FedLoom has it."""
        return decode_records(self.state.skeleton, self.state.arrays)
