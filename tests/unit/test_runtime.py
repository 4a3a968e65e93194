"""Every message to a client is answered, whatever its ClientApp does, and the next one as well."""

from __future__ import annotations

import asyncio
import queue
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from flwr.app import ArrayRecord, Context, Message, RecordDict

import shared.payload
from client.runtime import Runtime, Work
from shared.flower import decode, identify_server_task, node_id_of, set_message_id
from shared.payload import Serialised
from shared.proto.link_pb2 import Assignment
from tests.support.payloads import payload_of

RUN_ID = 7
LIMIT_S = 4.0

App = Callable[[Message, Context], Message]


def answer(message: Message, _: Context) -> Message:
    return Message(RecordDict(), reply_to=message)


class Running:
    """A runtime whose app does the next of some things with each message."""

    def __init__(self) -> None:
        identify_server_task(RUN_ID)
        self._apps: queue.SimpleQueue[App] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[str, Serialised | str]] = queue.SimpleQueue()
        self._runtime = Runtime(lambda message, context: self._apps.get()(message, context), {}, 1)
        self._runtime.start()
        self._runtime.assign(Assignment(run_id=RUN_ID, run="7"))

    def ask(self, app: App) -> tuple[str, Serialised | str]:
        """Have the app answer a message: "reply" and its bytes, or "failure" and the reason."""
        message = Message(RecordDict(), node_id_of("a"), "train")
        set_message_id(message, "m")
        self._apps.put(app)
        self._runtime.execute(
            Work(
                "m",
                payload_of(message),
                reply=lambda _, message: self._answers.put(("reply", message)),
                fail=lambda _, reason: self._answers.put(("failure", reason)),
                progress=lambda _: None,
                released=lambda _: None,
                labels=lambda _: None,
            )
        )
        return self._answers.get(timeout=LIMIT_S)

    def reply(self, app: App) -> Message:
        """As `ask`, for what must be a reply."""
        kind, payload = self.ask(app)
        assert kind == "reply", payload
        assert isinstance(payload, Serialised)
        return decode(payload_of(payload))

    def end(self) -> None:
        self._runtime.stop(LIMIT_S)


@pytest.fixture
def running() -> Iterator[Running]:
    running = Running()
    yield running
    running.end()


def raising(error: BaseException) -> App:
    def app(message: Message, context: Context) -> Message:
        raise error

    return app


@pytest.mark.parametrize(
    ("app", "name"),
    [
        (raising(ValueError("no data here")), "ValueError: no data here"),
        (raising(SystemExit("no data here")), "SystemExit: no data here"),
        (lambda message, context: sys.exit(), "SystemExit"),
        (raising(asyncio.CancelledError()), "CancelledError"),
    ],
)
def test_whatever_ends_an_app_is_an_error_reply_and_the_next_message_is_answered(
    running: Running, app: App, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    reply = running.reply(app)

    assert reply.has_error()
    assert name in (reply.error.reason or "")
    assert "train failed" in caplog.text
    assert running.reply(answer).has_content()


def test_a_reply_that_is_too_large_for_the_link_is_a_failure_in_words(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shared.payload, "MAX_MESSAGE_BYTES", 10_000)

    def large(message: Message, context: Context) -> Message:
        return Message(RecordDict({"arrays": ArrayRecord([np.zeros(10_000)])}), reply_to=message)

    kind, reason = running.ask(large)

    assert kind == "failure"
    assert isinstance(reason, str)
    assert "the link carries at most 10,000" in reason
    assert "Use a smaller model" in reason
    assert "Traceback" not in caplog.text
    assert running.reply(answer).has_content()
