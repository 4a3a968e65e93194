"""The way into the page in Chromium: the key, the first administrator, a login, users, a viewer's page."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.axe import violations_in_both_themes
from tests.support.people import PASSWORD, administrator
from tests.support.processes import ServerProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    server = ServerProcess("--auth", home=tmp_path_factory.mktemp("server"))
    yield server
    server.end()


def log_in(page: Page, server: ServerProcess, name: str, password: str = PASSWORD) -> None:
    page.goto(f"http://localhost:{server.port}/")
    page.get_by_label("name").fill(name)
    page.get_by_label("password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")


def test_the_printed_address_opens_the_page(page: Page, server: ServerProcess) -> None:
    found = server.wait_for_output(r"http://localhost:\d+/\?token=\S+")
    page.goto(found[0])

    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")
    assert page.url == f"http://localhost:{server.port}/"
    page.get_by_test_id("user-menu").click()
    page.get_by_test_id("log-out").click()
    expect(page.get_by_test_id("entry-form")).to_be_visible()
    assert violations_in_both_themes(page) == []


def test_a_wrong_key_says_so(page: Page, server: ServerProcess) -> None:
    page.goto(f"http://localhost:{server.port}/?token=wrong")

    expect(page.get_by_test_id("entry-failure")).to_contain_text("The key in the address does not hold")
    assert page.url == f"http://localhost:{server.port}/"


def test_users_are_added_demoted_and_given_another_password_while_they_look(
    page: Page, browser: Browser, server: ServerProcess
) -> None:
    page.goto(server.wait_for_output(r"http://localhost:\d+/\?token=\S+")[0])
    page.get_by_test_id("user-menu").click()
    page.get_by_test_id("open-users").click()
    users = page.get_by_test_id("users")
    users.get_by_label("new user").fill("otto")
    users.get_by_label("role", exact=True).select_option("operator")
    users.get_by_label(re.compile("^password")).fill(PASSWORD)
    users.get_by_role("button", name="Add user").click()
    expect(users.get_by_label("role of otto")).to_have_value("operator")

    elsewhere = browser.new_context()
    otto = elsewhere.new_page()
    log_in(otto, server, "otto")
    expect(otto.get_by_test_id("new-run")).to_be_visible()
    users.get_by_label("role of otto").select_option("viewer")
    expect(otto.get_by_test_id("new-run")).to_be_hidden()
    expect(otto.get_by_test_id("connection")).to_have_attribute("data-state", "connected")
    users.get_by_role("button", name="Set password of otto").click()
    users.get_by_label(re.compile("^another password for otto")).fill(f"{PASSWORD} anew")
    users.get_by_role("button", name="Set password", exact=True).click()
    expect(otto.get_by_test_id("entry-form")).to_be_visible()
    log_in(otto, server, "otto", f"{PASSWORD} anew")
    expect(otto.get_by_test_id("connection")).to_have_attribute("data-state", "connected")
    users.get_by_role("button", name="Remove otto").click()
    expect(otto.get_by_test_id("entry-form")).to_be_visible()
    elsewhere.close()


def test_a_wrong_password_says_so(page: Page, server: ServerProcess) -> None:
    page.goto(f"http://localhost:{server.port}/")
    page.get_by_label("name").fill("nobody")
    page.get_by_label("password", exact=True).fill("a wild guess")
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_test_id("entry-failure")).to_contain_text("The name or the password is wrong.")
    assert violations_in_both_themes(page) == []


def test_an_operator_starts_a_run_with_the_cookie(page: Page, server: ServerProcess) -> None:
    with administrator(server) as admin:
        admin.post("/api/v1/users", json={"name": "olga", "role": "operator", "password": PASSWORD})
    log_in(page, server, "olga")
    page.get_by_test_id("new-run").click()
    page.get_by_test_id("start-submit").click()
    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "waiting")
    page.get_by_test_id("stop").click()
    page.get_by_test_id("stop-confirm").click()
    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "stopped")


def test_the_first_administrator_is_made_on_the_page(
    page: Page, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = ServerProcess("--host", "0.0.0.0", "--auth", home=tmp_path_factory.mktemp("beyond"))
    try:
        setup = server.wait_for_output(r"/#setup=\S+")[0]
        page.goto(f"http://localhost:{server.port}{setup}")
        expect(page.get_by_role("heading", name="Make the first administrator")).to_be_visible()
        assert violations_in_both_themes(page) == []
        assert page.url == f"http://localhost:{server.port}/"
        page.get_by_label("name").fill("ada")
        page.get_by_label("password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Make administrator").click()
        expect(page.get_by_role("button", name="ada")).to_be_visible()
        expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")
    finally:
        server.end()
