"""`flwr log`: what of a run's log is sent to the command, and when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.event_bus import EventBus
from app.federation.runs.book import RunBook
from app.flower_control.log_stream import QUIET_S, stream_log
from app.records import RunState
from shared.flower_control import StreamLogsResponse
from tests.support.control_server import ControlServer, control_server
from tests.support.records import a_run


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ControlServer]:
    with control_server(tmp_path) as server:
        yield server


def texts(messages: Iterator[StreamLogsResponse]) -> list[str]:
    """What `flwr log` prints, without the time of day that begins each line."""
    return ["".join(line[9:] for line in message.log_output.splitlines(True)) for message in messages]


class TestLog:
    RUN = "0000000a"

    def follow(self, server: ControlServer, *looks: Any, after: float = 0.0) -> list[str]:
        """What is sent, if this happens while it is waited: one of `looks` each time."""
        waiting = iter(looks)

        def sleep(_: float) -> None:
            next(waiting, lambda: None)()

        return texts(stream_log(server, server.book.run(self.RUN), after, sleep))  # type: ignore[arg-type]

    def test_what_was_logged_is_there_at_once_and_the_rest_as_it_comes(self, server: ControlServer) -> None:
        server.book.add(a_run(self.RUN))
        server.log("before", self.RUN)
        server.log("of another", "0000000b")
        server.log("of none", None)

        def more() -> None:
            server.log("more", self.RUN, source="client-1", level="warning")
            server.log("of another", "0000000b")

        def ends() -> None:
            server.book.update(self.RUN, state=RunState.STOPPED)

        def last_words() -> None:
            server.log("run stopped", self.RUN)

        sent = self.follow(server, more, ends, last_words)

        assert sent == ["server    before\n", "client-1  warning: more\n", "server    run stopped\n"]

    def test_a_run_from_before_a_restart_has_its_log_in_the_store(self, server: ControlServer) -> None:
        server.book.add(a_run(self.RUN, state=RunState.COMPLETED))
        for number in range(3):
            server.log(f"line {number}", self.RUN)
        server.writer.flush(5)
        server.bus = EventBus(first_seq=server.bus.last + 1)

        assert self.follow(server) == ["server    line 0\nserver    line 1\nserver    line 2\n"]

    def test_nothing_comes_twice_when_it_is_in_the_store_and_in_memory(self, server: ControlServer) -> None:
        server.book.add(a_run(self.RUN, state=RunState.COMPLETED))
        server.log("once", self.RUN)
        server.writer.flush(5)

        assert self.follow(server) == ["server    once\n"]

    def test_of_a_run_that_has_said_nothing_it_is_told_why(self, server: ControlServer) -> None:
        server.book.add(a_run(self.RUN, reason="waiting for run 1"))

        messages = stream_log(server, server.book.run(self.RUN), 0.0, lambda _: None)  # type: ignore[arg-type]

        assert next(messages).log_output == (
            "Nothing was logged of run 0000000a yet; it is queued: waiting for run 1.\n"
        )

    def test_what_was_seen_before_is_left_out(self, server: ControlServer) -> None:
        server.book.add(a_run(self.RUN, state=RunState.COMPLETED))
        server.log("old", self.RUN)
        after = server.bus.logs()[-1].time
        server.log("new", self.RUN)

        assert self.follow(server, after=after) == ["server    new\n"]

    def test_more_events_than_are_kept_lose_no_line_that_is(self, server: ControlServer) -> None:
        server.bus = EventBus(capacity=2)
        server.book = RunBook(server.bus)
        server.book.add(a_run(self.RUN))

        def flood() -> None:
            for number in range(5):
                server.log(f"line {number}", self.RUN)
            server.book.update(self.RUN, state=RunState.STOPPED)

        _, flooded = self.follow(server, flood)

        assert flooded == "".join(f"server    line {number}\n" for number in range(5))

    def test_what_would_control_a_terminal_is_left_out(self, server: ControlServer) -> None:
        server.book.add(a_run(self.RUN, state=RunState.COMPLETED))
        server.log("\x1b[92mgreen\x1b[0m \x1b]0;title\x07 50%\r100%\ta\nb", self.RUN, source="client-1")

        (sent,) = stream_log(server, server.book.run(self.RUN), 0.0, lambda _: None)  # type: ignore[arg-type]

        assert sent.log_output[9:] == "client-1  green ]0;title 50%100%\ta\nb\n"

    def test_while_nothing_happens_a_command_that_has_gone_is_noticed(
        self, server: ControlServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.book.add(a_run(self.RUN))
        clock = [0.0]
        monkeypatch.setattr("app.flower_control.log_stream.time.monotonic", lambda: clock[0])
        messages = stream_log(
            server,  # type: ignore[arg-type]
            server.book.run(self.RUN),
            0.0,
            lambda _: clock.__setitem__(0, clock[0] + QUIET_S / 2),
        )

        next(messages)

        assert next(messages) == StreamLogsResponse()
        assert clock[0] == pytest.approx(QUIET_S * 1.5)

    def test_a_failure_comes_with_its_traceback(self, server: ControlServer) -> None:
        server.book.add(a_run(self.RUN, state=RunState.FAILED))
        server.log("run failed", self.RUN, level="error", traceback="Traceback:\n  ValueError\n")

        (sent,) = stream_log(server, server.book.run(self.RUN), 0.0, lambda _: None)  # type: ignore[arg-type]

        assert sent.log_output[9:] == "server    error: run failed\nTraceback:\n  ValueError\n"
