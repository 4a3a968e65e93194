"""The log on the page, in Chromium: 100,000 lines in the store, a real server and a real client."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from app.demo.fleet import Fleet
from app.events import event_of
from app.records import LogLevel, LogRecord
from app.store.store import Store
from app.store.urls import default_url
from shared.proto.link_pb2 import LogLine
from tests.conftest import Clients
from tests.support.api import Api
from tests.support.axe import violations_in_both_themes
from tests.support.processes import ServerProcess
from tests.support.raw_link import RawClient
from tests.support.screen import FITS

LINES = 100_000
PER_S = 10
TRACEBACK = """Traceback (most recent call last):
  File "/home/ann/task.py", line 12, in train
    loss = f(x)
  File "/usr/lib/python3.11/site-packages/torch/nn.py", line 99, in f
    raise ValueError(x)
ValueError: NaN in the loss
"""


def old_line(number: int) -> LogRecord:
    if number % 10_000 == 5_000:
        return LogRecord(
            level="error", source="site-7", logger="client", message="it failed", traceback=TRACEBACK
        )
    level: LogLevel = "warning" if number % 100 == 0 else "info"
    source = "server" if number % 2 else "site-7"
    return LogRecord(level=level, source=source, logger="t", message=f"old line {number}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One whose log has LINES lines of the last hours already."""
    home = tmp_path_factory.mktemp("server")
    begin = time.time() - LINES / PER_S - 60
    with Store.open(default_url(home)) as store:
        events = [event_of(n, begin + n / PER_S, old_line(n)) for n in range(1, LINES + 1)]
        store.apply(events)
    server = ServerProcess(home=home)
    yield server
    server.end()


@pytest.fixture
def log(page: Page, server: ServerProcess) -> Page:
    page.goto(f"http://localhost:{server.port}/logs")
    expect(page.get_by_test_id("log-line").last).to_be_visible()
    return page


def chosen(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def shown(page: Page, words: str | re.Pattern[str]) -> None:
    expect(page.get_by_test_id("log-line").filter(has_text=words).first).to_be_visible()


def scroll(page: Page, part: float) -> None:
    page.get_by_test_id("log-lines").evaluate(
        "(box, part) => { box.scrollTop = part * (box.scrollHeight - box.clientHeight); }", part
    )


def test_a_hundred_thousand_lines_scroll_without_holding_up_the_page(log: Page) -> None:
    total = log.get_by_test_id("log-total")
    expect(total).to_have_text(re.compile(r"100,\d{3} lines"))
    scroll(log, 0)
    shown(log, "old line 1")
    expect(log.get_by_test_id("log-follow")).to_have_text("Follow")
    for step in range(1, 20):
        scroll(log, step / 20)
    scroll(log, 0.5)
    shown(log, re.compile(r"old line 50\d{3}"))
    assert log.get_by_test_id("log-line").count() < 80
    assert log.evaluate(FITS)


def test_what_is_looked_for_stands_in_the_address_and_is_counted_by_the_server(
    log: Page, server: ServerProcess
) -> None:
    expect(log.get_by_test_id("log-kind-error")).to_contain_text("10")
    log.get_by_test_id("log-kind-error").click()
    expect(log.get_by_test_id("log-total")).to_have_text("10 lines")
    log.get_by_test_id("log-text").fill("nan in THE")
    log.get_by_test_id("log-client").click()
    log.get_by_role("option", name="server").click()
    expect(log.get_by_test_id("log-empty")).to_be_visible()
    expect(log).to_have_url(re.compile("q=nan"))  # what is typed is asked for when the reader pauses
    assert chosen(log) == {"level": ["error"], "q": ["nan in THE"], "client": ["server"]}

    log.goto(f"http://localhost:{server.port}/logs?client=site-7&level=error&q=nan")
    line = log.get_by_test_id("log-line").first
    expect(line).to_contain_text("it failed · ValueError: NaN in the loss")
    line.get_by_role("button", name="it failed").click()
    expect(log.get_by_test_id("own-frame")).to_contain_text("task.py, line 12")
    assert violations_in_both_themes(log) == []

    with log.expect_download() as text:
        log.get_by_test_id("log-download-text").click()
    saved = Path(text.value.path()).read_text(encoding="utf-8")
    assert saved.count("it failed") == 10
    with log.expect_download() as lines:
        log.get_by_test_id("log-download-jsonl").click()
    records = [json.loads(line) for line in Path(lines.value.path()).read_text("utf-8").splitlines()]
    assert [record["seq"] for record in records] == [n * 10_000 + 5_000 for n in range(10)]


def test_the_newest_line_stays_in_view_until_the_reader_pauses(log: Page, server: ServerProcess) -> None:
    with RawClient(server.home) as talker:
        talker.hello("talker")
        talker.send(log=LogLine(level="info", message="the first word"))
        shown(log, "the first word")
        log.get_by_test_id("log-follow").click()
        for number in range(60):
            talker.send(log=LogLine(level="warning", message=f"word {number}"))
        expect(log.get_by_test_id("log-total")).to_contain_text(re.compile(r"6\d new since"))
        shown(log, "the first word")
        expect(log.get_by_test_id("log-line").filter(has_text="word 59")).to_have_count(0)
        log.get_by_test_id("log-follow").click()
        shown(log, "word 59")


def test_what_a_client_writes_is_shown_as_text(log: Page, server: ServerProcess) -> None:
    hostile = "\x1b[31m<img src=x onerror='document.title=1'>\x1b[0m \u202egnp.exe \x00"
    with RawClient(server.home) as bad:
        bad.hello("bad")
        bad.send(log=LogLine(level="error", logger="<b>", message=hostile, traceback=hostile))
        line = log.get_by_test_id("log-line").filter(has_text="onerror")
        expect(line).to_contain_text("<img src=x onerror='document.title=1'> ␦gnp.exe ␦")
        line.get_by_role("button").first.click()
        expect(log.get_by_test_id("log-whole")).to_contain_text("<b>")
        assert log.locator("[data-testid=log-lines] img").count() == 0


def test_a_line_a_time_and_a_round_have_addresses(log: Page, server: ServerProcess, tmp_path: Path) -> None:
    with Fleet() as fleet, closing(Api(server.url)) as api:
        Clients(fleet, server, tmp_path).start("client-1")
        api.wait_for_client("client-1", "idle")
        run_id = api.start(num_rounds=2, min_clients=1, model="linear")["id"]
        api.wait_for_run(run_id, "completed")
        (began,) = [each["started_at"] for each in api.rounds(run_id) if each["round"] == 2]

        log.goto(f"http://localhost:{server.port}/logs?run={run_id}")
        shown(log, f"run {run_id}")
        log.get_by_test_id("log-jump").fill("round 2")
        log.get_by_test_id("log-jump").press("Enter")
        named = log.locator("[data-testid=log-line][data-named=true]")
        expect(named).to_be_visible()
        seq = int(chosen(log)["at"][0])
        (entry,) = [each for each in api.logs(limit=5_000) if each["seq"] == seq]
        assert entry["time"] >= began or entry == api.logs(run=run_id, limit=1)[0]

        log.goto(f"http://localhost:{server.port}/logs?at=30000")
        expect(named).to_contain_text("old line 30000")
        expect(named).to_be_in_viewport()
        log.get_by_test_id("log-jump").fill("yesterday")
        log.get_by_test_id("log-jump").press("Enter")
        expect(log.get_by_role("alert").filter(has_text="Give a time")).to_be_visible()
        log.reload()
        expect(named).to_contain_text("old line 30000")
