"""What a browser shows while nobody looks at the page, and what the page says of webhook and trackers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from shared.proto.link_pb2 import LogLine
from tests.conftest import StartServer
from tests.e2e.conftest import PAIR
from tests.e2e.test_page import open_page
from tests.support.api import Api
from tests.support.axe import violations_in_both_themes
from tests.support.processes import ServerProcess
from tests.support.raw_link import RawClient
from tests.support.receiver import receiving
from tests.support.waiting import wait_until

KINDS = ("webhook", "tensorboard")


SHOWN = """
window.shown = [];
window.Notification = class extends Notification {
  constructor(title, options) {
    super(title, options);
    this.addEventListener("show", () => window.shown.push(`${title}: ${options.body}`));
  }
};
"""
"""Keeps what the browser has shown, which nothing else tells."""


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser whose reader lets the page show notifications."""
    context = browser.new_context(permissions=["notifications"], color_scheme="light")
    yield context
    context.close()


def test_the_end_of_a_run_is_shown_while_another_tab_is_looked_at(
    context: BrowserContext, paired_server: ServerProcess
) -> None:
    page = context.new_page()
    page.add_init_script(SHOWN)
    open_page(page, paired_server)
    page.get_by_test_id("user-menu").click()
    page.get_by_test_id("notifications").click()
    expect(page.get_by_test_id("notifications")).to_have_text("Notifications: on")

    with closing(Api(paired_server.url)) as api:
        for client_id in PAIR:
            api.wait_for_client(client_id, "idle")
        seen = api.start(num_rounds=1, min_clients=2, model="linear")["id"]
        api.wait_for_run(seen, "completed")
        expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "completed")
        look_elsewhere(context, page)
        unseen = api.start(num_rounds=1, min_clients=2, model="linear")["id"]
        api.wait_for_run(unseen, "completed")

    [shown] = wait_until(lambda: page.evaluate("window.shown"), "the browser has shown it")
    assert re.fullmatch(rf"Run {unseen} is complete: round 1 of 1, accuracy \d+\.\d %", shown)


def test_an_error_that_comes_while_another_page_is_read_is_announced(
    page: Page, paired_server: ServerProcess
) -> None:
    with RawClient(paired_server.home) as talker:
        talker.hello("talker")
        open_page(page, paired_server, "/clients")
        talker.send(log=LogLine(level="warning", message="the disk is nearly full"))
        talker.send(log=LogLine(level="error", message="the disk is full"))

        expect(page.get_by_test_id("unseen-errors")).to_have_text("1 new error")
        spoken = page.get_by_role("navigation", name="pages").get_by_role("alert")
        expect(spoken).to_have_text("the disk is full")
        page.get_by_test_id("view-live").click()
        expect(page.get_by_test_id("unseen-errors")).to_have_count(0)
        page.get_by_test_id("view-clients").click()
        expect(page.get_by_test_id("client-row").first).to_be_visible()
        expect(page.get_by_test_id("unseen-errors")).to_have_count(0)


def look_elsewhere(context: BrowserContext, page: Page) -> None:
    """Another tab is in front. Without a screen no tab is hidden: the page has lost the focus alone."""
    context.new_cdp_session(page).send("Emulation.setFocusEmulationEnabled", {"enabled": False})
    context.new_page().bring_to_front()
    wait_until(lambda: not page.evaluate("document.hasFocus()"), "the page has lost the focus")


def test_the_page_says_how_webhook_and_trackers_go_and_sends_a_test(
    page: Page, start_server: StartServer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    with receiving() as receiver:
        flags = ("--webhook", receiver.url, "--track", f"tensorboard:{tmp_path / 'file'}")
        server = start_server(*flags)
        open_page(page, server, "/system")
        webhook, tracker = (
            page.get_by_test_id("outlet").filter(has=page.get_by_text(kind, exact=True)) for kind in KINDS
        )
        expect(webhook).to_contain_text("none has arrived yet")

        page.get_by_test_id("test-webhook").click()

        expect(webhook).to_contain_text("1 arrived, the newest")
        assert [notice["event"] for notice in receiver.notices] == ["test"]
        with closing(Api(server.url)) as api:
            run = api.start(num_rounds=1)["id"]  # nobody is there, but it is told of
            api.stop(run)
        expect(tracker).to_contain_text(re.compile("not written: .*Tried again by itself"))
        expect(page.locator("body")).not_to_contain_text("hidden")  # which stands in the webhook's address
        assert violations_in_both_themes(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")
