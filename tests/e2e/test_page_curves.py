"""The curves of a run with many clients: what they show, where that stands, and that keys reach it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.support.api import Api
from tests.support.processes import ServerProcess
from tests.support.screen import FITS

CLIENTS = [f"client-{number}" for number in range(1, 13)]
ROUNDS = 6
SLOW_MS = 90_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server on which twelve clients have done a run."""
    server = ServerProcess(home=tmp_path_factory.mktemp("server"))
    with Fleet() as fleet, closing(Api(server.url)) as api:
        Clients(fleet, server, tmp_path_factory.mktemp("data")).start(*CLIENTS)
        for client_id in CLIENTS:
            api.wait_for_client(client_id, "idle")
        run = api.start(
            num_rounds=ROUNDS, min_clients=len(CLIENTS), model="linear", local_epochs=1, alpha=0.3
        )
        api.wait_for_run(run["id"], "completed")
        yield server
    server.end()


@pytest.fixture(scope="module")
def run(server: ServerProcess) -> dict[str, Any]:
    """What the twelve have done."""
    with closing(Api(server.url)) as api:
        record: dict[str, Any] = api.get("/runs")["runs"][0]
        return {**record, "rounds": api.rounds(record["id"])}


def open_at(page: Page, server: ServerProcess, address: str = "/") -> None:
    page.goto(f"http://localhost:{server.port}{address}")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")
    expect(chart(page, "accuracy")).to_have_attribute("data-points", str(ROUNDS + 1), timeout=SLOW_MS)
    expect(chart(page, "accuracy")).to_have_attribute("aria-busy", "false", timeout=SLOW_MS)


def chart(page: Page, name: str) -> Locator:
    return page.get_by_test_id(f"chart-{name}")


def picture(page: Page, name: str) -> str:
    """What is drawn in a chart, once all is that it is to show now."""
    canvas = page.locator(f"[data-testid=chart-{name}][aria-busy=false] canvas").first
    drawn: str = canvas.evaluate("canvas => canvas.toDataURL()")
    return drawn


def shot(page: Page, name: str) -> None:
    """A picture for who looks at them."""
    if folder := os.environ.get("FEDLOOM_SCREENSHOT_DIR"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_many_clients_are_a_band_and_who_is_pinned_a_line(page: Page, server: ServerProcess) -> None:
    open_at(page, server)
    accuracy = chart(page, "accuracy")
    expect(accuracy).to_have_attribute("data-clients", "12")
    expect(accuracy).to_have_attribute("data-band", str(ROUNDS))
    expect(accuracy).to_have_attribute("data-lines", "0")
    bare = picture(page, "accuracy")

    row = page.locator("[data-testid=client-row][data-client=client-2]")
    row.hover()
    expect(accuracy).to_have_attribute("data-lines", "1")
    page.mouse.move(10, 10)
    expect(accuracy).to_have_attribute("data-lines", "0")

    row.get_by_test_id("client-pin").click()
    page.locator("[data-client=client-3]").get_by_test_id("client-pin").click()
    page.mouse.move(10, 10)
    expect(page).to_have_url(re.compile(r"clients=client-2%2Cclient-3"))
    expect(accuracy).to_have_attribute("data-lines", "2")
    assert picture(page, "accuracy") != bare
    page.reload()
    expect(accuracy).to_have_attribute("data-lines", "2", timeout=SLOW_MS)
    expect(accuracy).to_have_attribute("aria-busy", "false", timeout=SLOW_MS)

    accuracy.hover()
    expect(page.locator("text=…and 10 more").first).to_be_visible()
    expect(page.locator("text=middle half").first).to_be_visible()
    shot(page, "band-1440")
    page.get_by_test_id("unpin-all").click()
    expect(accuracy).to_have_attribute("data-lines", "0")
    assert "clients=" not in page.url


def test_the_keyboard_moves_the_cursor_and_keeps_a_round(
    page: Page, server: ServerProcess, run: dict[str, Any]
) -> None:
    open_at(page, server)
    accuracy, loss = chart(page, "accuracy"), chart(page, "loss")
    accuracy.focus()
    page.keyboard.press("End")
    expect(accuracy).to_have_attribute("aria-valuenow", str(ROUNDS))
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")

    expect(accuracy).to_have_attribute("aria-valuenow", str(ROUNDS - 2))
    value = run["rounds"][ROUNDS - 2]
    expect(accuracy).to_have_attribute(
        "aria-valuetext", re.compile(rf"^round {ROUNDS - 2}: global {value['accuracy'] * 100:.1f} %")
    )
    expect(loss).to_have_attribute(
        "aria-valuetext", re.compile(rf"^round {ROUNDS - 2}: global {value['loss']:.3f}")
    )
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"round={ROUNDS - 2}"))
    expect(page.get_by_test_id("kept-round")).to_have_text(f"round {ROUNDS - 2} is kept")
    page.keyboard.press("Home")
    expect(accuracy).to_have_attribute("aria-valuenow", "0")
    page.keyboard.press("Escape")
    expect(accuracy).to_have_attribute("aria-valuenow", str(ROUNDS - 2))
    page.keyboard.press("Escape")
    expect(accuracy).to_have_attribute("aria-valuenow", str(ROUNDS))
    assert "round=" not in page.url


def test_how_the_curves_are_drawn_stands_in_the_address_and_is_remembered(
    page: Page, server: ServerProcess
) -> None:
    open_at(page, server)
    before = {name: picture(page, name) for name in ("accuracy", "loss")}
    page.get_by_test_id("y-zero").click()
    page.get_by_test_id("log").click()
    expect(page).to_have_url(re.compile(r"y=zero&log=1"))
    assert picture(page, "loss") != before["loss"]
    page.get_by_test_id("x-elapsed").click()
    page.get_by_test_id("smooth").focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"x=elapsed.*smooth=0.05"))
    assert picture(page, "accuracy") != before["accuracy"]
    shot(page, "elapsed-1440")

    page.goto(f"http://localhost:{server.port}/")
    expect(page).to_have_url(re.compile(r"x=elapsed"))
    expect(page.get_by_test_id("x-elapsed")).to_have_attribute("aria-pressed", "true")


def test_what_a_round_took_and_moved(page: Page, server: ServerProcess, run: dict[str, Any]) -> None:
    first = run["rounds"][1]
    assert first["sent_bytes"] > 0
    assert first["received_bytes"] > 0
    page.set_viewport_size({"width": 1280, "height": 900})
    open_at(page, server)
    parts = chart(page, "parts")
    expect(parts).to_have_attribute("data-points", str(ROUNDS + 1))
    page.get_by_test_id("panel-bytes").click()
    expect(parts).to_have_attribute("data-kind", "bytes")
    expect(page).to_have_url(re.compile(r"panel=bytes"))
    expect(parts).to_have_attribute("aria-valuetext", re.compile(r"together .*, up .*, down "))

    page.set_viewport_size({"width": 1280, "height": 720})
    expect(parts).to_be_hidden()
    page.get_by_test_id("metric-loss").click()
    page.get_by_role("option", name="times per round").click()
    expect(parts).to_have_attribute("data-kind", "times")
    expect(chart(page, "loss")).to_be_hidden()
    assert page.evaluate(FITS), "all is on one screen"


def test_a_chart_is_saved_as_picture_drawing_and_numbers(
    page: Page, server: ServerProcess, run: dict[str, Any], tmp_path: Path
) -> None:
    open_at(page, server, f"/runs/{run['id']}/curves?clients=client-4")
    expect(chart(page, "accuracy")).to_have_attribute("data-lines", "1")
    saved = {}
    for kind in ("png", "svg", "csv"):
        page.get_by_test_id("save-accuracy").click()
        with page.expect_download() as download:
            page.get_by_test_id(f"save-accuracy-{kind}").click()
        assert download.value.suggested_filename == f"run-{run['id']}-accuracy.{kind}"
        download.value.save_as(tmp_path / kind)
        saved[kind] = (tmp_path / kind).read_bytes()

    assert saved["png"].startswith(b"\x89PNG")
    assert b"<svg" in saved["svg"]
    assert b"client-4" in saved["svg"]
    lines = saved["csv"].decode().splitlines()
    assert lines[0] == "round,global,client-4,clients,min,q1,median,q3,max"
    assert len(lines) == ROUNDS + 2
    assert float(lines[-1].split(",")[1]) == pytest.approx(run["rounds"][-1]["accuracy"])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_of_it_fits_on_a_screen_and_on_a_phone(page: Page, server: ServerProcess, theme: Any) -> None:
    page.emulate_media(color_scheme=theme)
    for name, width, height in (("desktop", 1280, 720), ("phone", 390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        open_at(page, server, "/?clients=client-2")
        shot(page, f"{name}-{theme}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            f"{name}: it is not too wide"
        )
        chart(page, "accuracy").scroll_into_view_if_needed()
        chart(page, "accuracy").hover()
        expect(page.locator("text=middle half").first).to_be_visible()
        shot(page, f"{name}-{theme}-hover")
