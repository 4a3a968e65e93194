"""The ready check where others reach the server: an invitation as a code, which lets nobody in by itself."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from app.demo.fleet import Fleet
from client.settings import ClientSettings
from shared import qr
from shared.security.invitation import Invitation
from tests.conftest import StartServer
from tests.e2e.conftest import CHROMIUM_FLAGS, DESKTOP
from tests.support.axe import violations
from tests.support.people import PASSWORD, add_user
from tests.support.tools import require

NAME = "lab.example"
MAPPED = f"--host-resolver-rules=MAP {NAME} 127.0.0.1"


def test_who_joins_by_the_code_waits_to_be_approved(start_server: StartServer, tmp_path: Path) -> None:
    chromium = require("chromium", why="the page is tested in a real browser")
    server = start_server("--host", "0.0.0.0", "--min-clients", "1")
    add_user(server, "ada", "admin")
    with sync_playwright() as playwright, Fleet() as fleet:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM_FLAGS, MAPPED])
        page = browser.new_page(viewport=DESKTOP, reduced_motion="reduce")
        page.goto(f"http://{NAME}:{server.port}/")
        page.get_by_label("name").fill("ada")
        page.get_by_label("password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()

        expect(page.get_by_test_id("ready-elsewhere")).to_contain_text("until you approve them")
        page.get_by_test_id("invitation-qr").screenshot(path=tmp_path / "code.png")
        text = qr.read_picture(tmp_path / "code.png")
        invitation = Invitation.parse(text)
        assert (invitation.address.host, invitation.address.port) == (NAME, server.link_port)
        assert invitation.token == ""
        expect(page.get_by_test_id("ready-invitation")).to_contain_text(text)
        assert violations(page) == []
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")

        here = Invitation.parse(text.replace(NAME, "127.0.0.1"))  # the name is the browser's alone
        fleet.start_client(
            ClientSettings(
                client_id="client-1",
                dataset="digits",
                server=None,
                data_dir=tmp_path,
                threads=1,
                home=tmp_path / "site",
                invite=here,
            )
        )
        page.get_by_test_id("approve").click(timeout=60_000)
        expect(page.get_by_test_id("ready-clients")).to_contain_text("1 of 1 is there", timeout=60_000)
        browser.close()
