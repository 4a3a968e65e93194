"""A client's own page comes by invitations of other nodes, in Chromium."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.axe import violations
from tests.support.mesh_nodes import MeshNode
from tests.support.processes import Command


def test_an_invitation_is_pasted_and_another_is_chosen_as_a_picture(
    page: Page, tmp_path: Path, ending: ExitStack
) -> None:
    harbour, buoy = (MeshNode(name, tmp_path / name) for name in ("harbour", "buoy"))
    ending.callback(harbour.end)
    ending.callback(buoy.end)
    (tmp_path / "ana").mkdir()
    flags = ("--client-id", "ana", "--mesh-only", "--mesh-interface", "127.0.0.1", "--page")
    client = Command("run_client.py", *flags, home=tmp_path / "ana")
    ending.callback(client.end)
    page.goto(client.wait_for_output(r"http://localhost:\d+/\?token=\S+", 120.0)[0])
    state = page.get_by_test_id("join-state")

    page.get_by_test_id("join-node").click()
    page.get_by_test_id("join-text").fill("fedloom://127.0.0.1:1?key=x")
    page.get_by_test_id("join-submit").click()
    expect(page.get_by_role("alert")).to_contain_text("This is an invitation to a server")
    invitation = harbour.invite()
    page.get_by_test_id("join-text").fill(invitation)
    page.get_by_test_id("join-submit").click()
    expect(state).to_contain_text("Paired with harbour. Check code:")
    assert violations(page) == []
    code = re.search(r"[A-Z2-7]{4}-[A-Z2-7]{4}", state.inner_text())
    assert code is not None
    harbour.wait_for_output(rf"paired with ana, .*{code[0]}")
    page.get_by_test_id("join-text").fill(invitation.replace(harbour.port, "1"))
    page.get_by_test_id("join-submit").click()
    expect(state).to_contain_text("It has not come to that. The node that has sent the invitation")

    buoy.invite("--png", str(tmp_path / "code.png"))
    page.get_by_test_id("join-picture").set_input_files(tmp_path / "code.png")
    expect(state).to_contain_text("Paired with buoy.")
    (tmp_path / "photo.png").write_bytes(b"no picture")
    page.get_by_test_id("join-picture").set_input_files(tmp_path / "photo.png")
    expect(page.get_by_role("alert")).to_contain_text("The file is no picture that can be read")
    page.get_by_role("button", name="Close").click()
    for name in ("harbour", "buoy"):
        row = page.locator(f"[data-testid=peer-row][data-peer={name}]")
        expect(row).to_have_attribute("data-state", re.compile("online|rejoined"))
