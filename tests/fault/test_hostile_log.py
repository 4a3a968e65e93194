"""A client that misuses the log: its lines are bounded, are its own, and are shown as text."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from app.federation.link.limits import LOG_BYTES
from shared.proto.link_pb2 import Goodbye, LogLine
from shared.wire import MAX_LOG_TEXT
from tests.support.api import Api
from tests.support.forked_server import ForkedServer
from tests.support.raw_link import RawClient
from tests.support.waiting import wait_until

HOSTILE = "\x1b[2J\x1b]0;owned\x07 <script>\u202efdp.exe\r\n2026 server error: \x00 all is lost"
LINES = 20_000
"""Of a million, the others would be refused in the same way and take the test's time."""


def expect_a_file_that_steers_no_terminal(api: Api) -> None:
    answer = api.http.get("/api/v1/logs/file", params={"source": "bad"})
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    head, *rest = answer.text.rstrip("\n").split("\n")
    assert "\\x1b[2J" in head
    assert rest
    assert all(line.startswith("    ") for line in rest)
    assert not {"\x1b", "\x07", "\x00", "\r", "\u202e"} & set(answer.text)


def test_what_a_client_writes_is_bounded_and_text_and_its_own(lasting_server: ForkedServer) -> None:
    with closing(Api(lasting_server.url)) as api:
        with RawClient(lasting_server.home) as bad:
            bad.hello("bad")
            bad.send(log=LogLine(level="error", logger="server", message=HOSTILE))
            (entry,) = wait_until(lambda: api.logs(source="bad"), "the line comes")
            assert (entry["source"], entry["run_id"], entry["level"]) == ("bad", None, "error")
            expect_a_file_that_steers_no_terminal(api)
            bad.send(log=LogLine(level="info", message="m" * 900_000, traceback="t" * 900_000))
            (long,) = wait_until(lambda: api.logs(source="bad", q="mmm"), "the long line comes")
            assert len(long["message"]) == len(long["traceback"]) == MAX_LOG_TEXT

            for number in range(LINES):
                bad.send(log=LogLine(level="info", message=f"{number:06} " + "x" * 400))
            wait_until(lambda: api.get("/logs/counts", source="bad")["info"] > 1_000, "lines are kept")
            bad.send(goodbye=Goodbye())
            api.wait_for_client("bad", "lost")
        wait_until(
            lambda: api.logs(source="bad", level="warning", q="more lines of this log were left out"),
            "it is said that lines were left out",
        )
        assert api.get("/logs/counts", source="server")["info"] > 0
    with closing(sqlite3.connect(lasting_server.home / "fedloom.db")) as database:
        (size,) = database.execute("SELECT sum(length(message)) FROM logs WHERE source = 'bad'").fetchone()
    assert size < 2 * LOG_BYTES[0]
