"""A client's runtime with an app in a process of its own, without a link."""

from __future__ import annotations

import queue
from pathlib import Path

from flwr.app import Message

from client.hosted_app import HostedApp
from client.runtime import Runtime
from client.work import Work
from shared.app_host.serialised import Serialised
from shared.app_process import AppProcess
from shared.flower import decode
from shared.flower_app import read_app
from shared.proto.link_pb2 import Assignment
from tests.support.app_host import CLIENT_HEAD, RUN_ID, a_message, metrics_of
from tests.support.apps import write_app
from tests.support.payloads import payload_of

LIMIT_S = 60.0


class HostedClient:
    """Answers what it is asked, and tells what became of it: "reply", "failure" or "released"."""

    def __init__(self, folder: Path, client_app: str) -> None:
        app = read_app(write_app(folder, "pkg", client_app=CLIENT_HEAD + client_app))
        self.processes: list[AppProcess] = []
        """All that were started."""

        def start() -> AppProcess:
            self.processes.append(AppProcess.start(app, app.folder, "client", cwd=folder))
            return self.processes[-1]

        self.hosted = HostedApp(start)
        self.hosted.load()
        self.runtime = Runtime(self.hosted, {}, 1)
        self.runtime.start()
        self._outcomes: queue.SimpleQueue[tuple[str, Serialised | str]] = queue.SimpleQueue()
        self.assign(RUN_ID)

    def assign(self, run_id: int) -> None:
        """Give the client a place in a run."""
        self.runtime.assign(Assignment(run_id=run_id, run=f"{run_id:016x}"))

    def tell(self, run_id: int = RUN_ID) -> Work:
        """Give it a message."""
        message = a_message()
        message.metadata.__dict__["_run_id"] = run_id
        work = Work(
            "m",
            payload_of(message),
            reply=lambda _, reply: self._outcomes.put(("reply", reply)),
            fail=lambda _, reason: self._outcomes.put(("failure", reason)),
            progress=lambda _: None,
            released=lambda _: self._outcomes.put(("released", "")),
            labels=lambda _: None,
            decline=lambda _, rule, reason: None,
            held=lambda *_: None,
        )
        self.runtime.execute(work)
        return work

    def outcome(self) -> tuple[str, Serialised | str]:
        """What became of the oldest message whose outcome was not asked for yet."""
        return self._outcomes.get(timeout=LIMIT_S)

    def reply(self) -> Message:
        """The same, which must be a reply."""
        kind, reply = self.outcome()
        assert isinstance(reply, Serialised), (kind, reply)
        return decode(payload_of(reply))

    def ask(self, run_id: int = RUN_ID) -> dict[str, object]:
        """Give it a message; the metrics of the reply."""
        self.tell(run_id)
        return metrics_of(self.reply())

    def error(self) -> str:
        """Give it a message that the app cannot answer; the reason in the reply."""
        self.tell()
        reply = self.reply()
        assert reply.has_error()
        return str(reply.error.reason)

    def close(self) -> None:
        """End the client."""
        self.runtime.stop(LIMIT_S)
        for process in self.processes:
            process.close()
