"""Charts of compared runs and of machines: by the keyboard, by dragging, as files; half a day of machines."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.demo.fleet import Fleet
from app.store.store import Store
from app.usage.minutes import MINUTE_S, MinuteMean
from tests.conftest import Clients
from tests.e2e.conftest import PAIR
from tests.support.api import Api, Json
from tests.support.axe import violations
from tests.support.processes import ServerProcess
from tests.support.usage import a_usage

ROUNDS = 5
DOWN_MINUTES = range(120, 300)
"""So many minutes ago the server was away."""

EDGE_PX = 6
EDGE_IS_EMPTY = """([canvas, pixels]) => {
  const width = pixels * devicePixelRatio;
  const image = canvas.getContext("2d").getImageData(canvas.width - width, 0, width, canvas.height);
  return image.data.every((value) => value === 0);
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with two clients; its machine was measured for six hours, in three of which it was down."""
    home = tmp_path_factory.mktemp("server")
    store = f"sqlite:///{home / 'kept.db'}"
    now = int(time.time() // MINUTE_S)
    minutes = [now - ago for ago in range(360, 1, -1) if ago not in DOWN_MINUTES]
    with Store.open(store) as kept:
        means = [MinuteMean(None, minute, a_usage(minute * MINUTE_S + 30.0)) for minute in minutes]
        kept.usage.keep(means, oldest=0)
    server = ServerProcess("--store", store, home=home)
    with Fleet() as fleet:
        Clients(fleet, server, tmp_path_factory.mktemp("data")).start(*PAIR)
        yield server
    server.end()


@pytest.fixture(scope="module")
def runs(server: ServerProcess) -> list[Json]:
    """Two runs that differ in their learning rate, with their rounds."""
    with closing(Api(server.url)) as api:
        ids = [
            api.wait_for_run(
                api.start(num_rounds=ROUNDS, min_clients=2, model="linear", lr=lr)["id"], "completed"
            )["id"]
            for lr in (0.05, 0.2)
        ]
        return [{"id": run, "rounds": api.rounds(run)} for run in ids]


def open_at(page: Page, server: ServerProcess, address: str) -> None:
    page.goto(f"http://localhost:{server.port}{address}")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")


def open_comparison(page: Page, server: ServerProcess, runs: list[Json], rest: str = "") -> Locator:
    open_at(page, server, f"/runs/compare?ids={','.join(run['id'] for run in runs)}{rest}")
    chart = page.get_by_test_id("compare-chart")
    expect(chart).to_have_attribute("data-lines", "2")
    expect(chart).to_have_attribute("aria-busy", "false")
    return chart


def percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def saved(page: Page, folder: Path, kind: str) -> bytes:
    page.get_by_test_id("save-comparison").click()
    with page.expect_download() as download:
        page.get_by_test_id(f"save-comparison-{kind}").click()
    assert download.value.suggested_filename == f"comparison-accuracy.{kind}"
    download.value.save_as(folder / kind)
    return (folder / kind).read_bytes()


def numbers_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(text.decode().splitlines()))


def test_compared_curves_are_read_by_the_keyboard_and_kept_as_numbers(
    page: Page, server: ServerProcess, runs: list[Json], tmp_path: Path
) -> None:
    chart = open_comparison(page, server, runs)
    chart.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    expect(chart).to_have_attribute("aria-valuenow", str(ROUNDS - 1))
    for run in runs:
        value = percent(run["rounds"][ROUNDS - 1]["accuracy"])
        expect(chart).to_have_attribute(
            "aria-valuetext", re.compile(rf"^round {ROUNDS - 1}: .*{run['id']} {re.escape(value)}")
        )

    rows = numbers_of(saved(page, tmp_path, "csv"))
    assert [row["round"] for row in rows] == [str(number) for number in range(ROUNDS + 1)]
    for run in runs:
        told = [round_["accuracy"] for round_ in run["rounds"]]
        assert [float(row[run["id"]]) for row in rows] == pytest.approx(told)
    assert saved(page, tmp_path, "png").startswith(b"\x89PNG")
    assert runs[0]["id"].encode() in saved(page, tmp_path, "svg")
    assert violations(page) == []


def test_dragging_zooms_compared_curves_and_what_is_kept_of_them(
    page: Page, server: ServerProcess, runs: list[Json], tmp_path: Path
) -> None:
    chart = open_comparison(page, server, runs)
    box = chart.bounding_box()
    assert box is not None
    first, width, middle = box["x"] + 52, box["width"] - 52 - 128, box["y"] + box["height"] / 2
    page.mouse.move(first + 4, middle)
    page.mouse.down()
    page.mouse.move(first + 0.5 * width, middle, steps=5)
    page.mouse.up()

    back = page.get_by_role("button", name="Show all rounds")
    expect(back).to_be_visible()
    expect(chart).to_have_attribute("aria-busy", "false")
    rows = numbers_of(saved(page, tmp_path, "csv"))
    assert 1 <= len(rows) <= ROUNDS - 1
    assert rows[-1]["round"] == "2"
    back.click()
    expect(back).to_be_hidden()
    assert len(numbers_of(saved(page, tmp_path, "csv"))) == ROUNDS + 1


def test_how_compared_curves_are_drawn_stands_in_the_address(
    page: Page, server: ServerProcess, runs: list[Json]
) -> None:
    chart = open_comparison(page, server, runs)
    page.get_by_test_id("compare-axis-time").click()
    page.get_by_test_id("compare-metric").select_option("loss")
    page.get_by_test_id("log").click()
    page.get_by_test_id("y-zero").click()
    expect(page).to_have_url(re.compile(r"axis=time&metric=loss&log=1&y=zero$"))
    page.reload()
    expect(page.get_by_test_id("log")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("y-zero")).to_have_attribute("aria-pressed", "true")
    chart.focus()
    page.keyboard.press("End")
    expect(chart).to_have_attribute("aria-valuetext", re.compile(r"^\d+:\d\d after the start: \w+ .*, \w+ "))


@pytest.mark.parametrize("address", ["compare", "live"])
def test_on_a_phone_no_label_touches_the_edge(
    page: Page, server: ServerProcess, runs: list[Json], address: str
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    if address == "compare":
        chart = open_comparison(page, server, runs)
    else:
        open_at(page, server, f"/runs/{runs[0]['id']}/curves")
        chart = page.get_by_test_id("chart-accuracy")
        expect(chart).to_have_attribute("data-points", str(ROUNDS + 1))
        expect(chart).to_have_attribute("aria-busy", "false")
    page.mouse.move(0, 0)
    canvas = chart.locator("canvas").first.element_handle()
    assert page.evaluate(EDGE_IS_EMPTY, [canvas, EDGE_PX])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_charts_of_machines_are_read_by_the_keyboard(
    page: Page, server: ServerProcess, runs: list[Json]
) -> None:
    open_at(page, server, "/system")
    expect(page.get_by_test_id("system-row")).to_have_count(1 + len(PAIR))
    charts = page.get_by_role("slider", name=re.compile("^CPU of "))
    charts.first.focus()
    expect(charts.first).to_have_attribute(
        "aria-valuetext", re.compile(r"^now, .*: \d+\.\d of \d+ cores, all \d+\.\d %$")
    )
    page.keyboard.press("ArrowDown")
    expect(charts.nth(1)).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(charts.nth(1)).to_have_attribute("aria-valuenow", "-4")
    for chart in charts.all():
        expect(chart).to_have_attribute("aria-valuetext", re.compile(r"^\d+:\d\d:\d\d.*: \d"))
    page.keyboard.press("Escape")
    expect(charts.nth(1)).to_have_attribute("aria-valuenow", "0")
    assert violations(page) == []


def test_half_a_day_of_machines_has_a_gap_where_the_server_was_down(
    page: Page, server: ServerProcess, runs: list[Json]
) -> None:
    open_at(page, server, "/system")
    page.get_by_test_id("history-12h").click()
    expect(page).to_have_url(re.compile(r"/system\?history=12h$"))
    page.reload()
    expect(page.get_by_test_id("history-12h")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("system-moment")).to_contain_text("the last 12 hours")

    line = page.get_by_test_id("system-row").first.locator("[data-column=CPU] path").nth(1)
    expect(line).to_have_attribute("d", re.compile(r"^M[^M]+M[^M]+"))
    pieces = (line.get_attribute("d") or "").split("M")[1:]
    begins = [float(piece.split(" ")[0]) for piece in pieces]
    ends = [float(piece.split("L")[-1].split(" ")[0]) for piece in pieces]
    half_a_day = 12 * 60
    assert begins[0] == pytest.approx(100 * (1 - 360 / half_a_day), abs=3)
    assert begins[1] - ends[0] == pytest.approx(100 * len(DOWN_MINUTES) / half_a_day, abs=1)
    assert ends[-1] > 97
    with closing(Api(server.url)) as api:
        told = api.get("/system", since=time.time() - 12 * 3_600, points=720)["nodes"][0]
    assert len(told["series"]) >= 360 - len(DOWN_MINUTES) - 2
    assert violations(page) == []
