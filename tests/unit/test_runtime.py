"""Every message to a client is answered, whatever its ClientApp does, and the next one as well."""

from __future__ import annotations

import asyncio
import queue
import sys
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
import pytest
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, RecordDict

import shared.payload
from client.built_in_app import BuiltInApp
from client.runtime import Runtime
from client.site.rules import Declined
from client.work import Work
from shared.app_host.serialised import Serialised
from shared.buffers import MemoryBuffer
from shared.errors import Cancelled, FedLoomError
from shared.flower import decode, identify_server_task, node_id_of, set_message_id
from shared.payload import Payload
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
        app = BuiltInApp(lambda message, context: self._apps.get()(message, context))
        self._runtime = Runtime(app, {}, 1)
        self._runtime.start()
        self.held = 0
        """Messages that were not released."""
        self.assign()

    def assign(self, run_id: int = RUN_ID) -> None:
        """Give the client its place in a run."""
        identify_server_task(run_id)
        self._runtime.assign(Assignment(run_id=run_id, run=f"{run_id}"))

    def ask(self, app: App) -> tuple[str, Serialised | str]:
        """Have the app answer a message: "reply" and its bytes, or "failure" or "declined" and the reason."""
        message = Message(RecordDict(), node_id_of("a"), "train")
        set_message_id(message, "m")
        self._apps.put(app)
        self._runtime.execute(
            Work(
                "m",
                self._payload_of(message),
                reply=lambda _, message: self._answers.put(("reply", message)),
                fail=lambda _, reason: self._answers.put(("failure", reason)),
                progress=lambda _: None,
                released=lambda _: None,
                labels=lambda _: None,
                decline=lambda _, rule, reason: self._answers.put(("declined", f"{rule}: {reason}")),
                held=lambda *_: None,
            )
        )
        return self._answers.get(timeout=LIMIT_S)

    def _payload_of(self, message: Message) -> Payload:
        self.held += 1
        payload = payload_of(message)
        buffer = MemoryBuffer(self._released)
        buffer.add(payload.skeleton())
        return Payload(buffer)

    def _released(self) -> None:
        self.held -= 1

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


class Panic(BaseException):
    """As a library in Rust raises it."""


class Unprintable(Exception):
    def __str__(self) -> str:
        raise Panic

    __repr__ = __str__


class UnprintableRefusal(FedLoomError):
    def __str__(self) -> str:
        raise Panic


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
        (raising(Panic("index out of bounds")), "Panic: index out of bounds"),
        (raising(KeyboardInterrupt()), "KeyboardInterrupt"),
        (raising(GeneratorExit()), "GeneratorExit"),
        (raising(BaseExceptionGroup("several", [Panic("one")])), "Panic: one"),
        (raising(Unprintable()), "Unprintable: <exception str() failed>"),
        (raising(UnprintableRefusal()), "its message cannot be shown"),
        (raising(Cancelled("nobody asked for it")), "nobody asked for it"),
        (raising(OSError("/data/B\udce4r.csv is missing")), "OSError: /data/B\ufffdr.csv is missing"),
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


def not_a_message(message: Message, context: Context) -> Message:
    return cast(Message, "a string")


class Untouchable:
    """Not a message, and breaks whoever looks at it."""

    def __getattribute__(self, name: str) -> Any:
        raise Panic


@pytest.mark.parametrize(
    ("app", "name"),
    [
        (not_a_message, "AttributeError"),
        (lambda message, context: cast(Message, Untouchable()), "Panic"),
    ],
)
def test_what_is_no_reply_is_a_failure_and_the_next_message_is_answered(
    running: Running, app: App, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    kind, reason = running.ask(app)

    assert kind == "failure"
    assert name in str(reason)
    assert "could not be answered" in caplog.text
    assert running.reply(answer).has_content()


def test_text_that_is_no_utf_8_in_a_reply_is_a_failure_in_words(running: Running) -> None:
    def app(message: Message, context: Context) -> Message:
        return Message(RecordDict({"c": ConfigRecord({"path": "/data/B\udce4r.csv"})}), reply_to=message)

    kind, reason = running.ask(app)

    assert kind == "failure"
    assert "surrogates not allowed" in str(reason)
    assert str(reason).encode()
    assert running.reply(answer).has_content()


def test_a_place_in_a_run_that_cannot_be_taken_is_reported_and_the_next_is(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def panic(_: int) -> None:
        raise Panic("no threads")

    running.reply(answer)
    with monkeypatch.context() as patch:
        patch.setattr("torch.set_num_threads", panic)
        running.assign()
        assert running.reply(answer).has_content()
    assert "no threads" in caplog.text

    running.assign()
    assert running.reply(answer).has_content()


def test_a_message_is_released_when_it_was_answered_and_when_it_was_not(running: Running) -> None:
    for app in (answer, raising(Panic()), not_a_message):
        running.ask(app)
    running.end()

    assert running.held == 0


def test_why_it_declines_is_logged_once_for_each_run_and_rule(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, a client that declined wrote up to four warnings in each round."""
    caplog.set_level("WARNING")

    for spent in (2.9, 3.1):
        assert running.ask(
            raising(Declined("privacy_budget", f"privacy_budget = 3, and {spent} is spent"))
        ) == (
            "declined",
            f"privacy_budget: privacy_budget = 3, and {spent} is spent",
        )
    running.assign()  # as after a reconnect
    running.ask(raising(Declined("secagg-keys", "b has another key")))
    running.ask(raising(Declined("privacy_budget", "nothing is left")))
    running.assign(RUN_ID + 1)
    running.ask(raising(Declined("secagg-keys", "b has another key still")))

    assert [record.getMessage() for record in caplog.records] == [
        "takes no part in run 7: privacy_budget = 3, and 2.9 is spent",
        "takes no part in run 7: secagg-keys: b has another key",
        "takes no part in run 8: secagg-keys: b has another key still",
    ]
