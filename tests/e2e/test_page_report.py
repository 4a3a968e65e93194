"""A downloaded report is read without a server and without a network, and printed with nothing cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, PdfMargins, ViewportSize, expect

from tests.e2e.conftest import PAIR
from tests.e2e.test_page import open_page
from tests.support.api import Api, Json
from tests.support.processes import ServerProcess

ROUNDS = 3
NAME = "dirichlet α 0.5, five local epochs, the smallest of three learning rates"
LEARNING_RATES = (0.05, 0.02, 0.01, 0.005, 0.002)

A4: ViewportSize = {"width": 718, "height": 1047}
"""In CSS pixels, within margins of 1 cm."""
MARGINS: PdfMargins = {"top": "1cm", "right": "1cm", "bottom": "1cm", "left": "1cm"}

BEYOND = """width => [...document.querySelectorAll("body *")].filter(each => {
  const { left, right } = each.getBoundingClientRect();
  return left < -0.5 || right > width + 0.5
    || each.clientWidth > 0 && each.scrollWidth > each.clientWidth + 1;
}).map(each => `${each.tagName} ${each.textContent.trim().slice(0, 60)}`)"""
"""What does not fit on the paper, or not into what it stands in."""


@pytest.fixture(scope="module")
def runs(paired_server: ServerProcess) -> Iterator[list[Json]]:
    """Several that are over, with names and notes."""
    with closing(Api(paired_server.url)) as api:
        spec = {"num_rounds": ROUNDS, "min_clients": 2, "model": "linear"}
        found = [api.wait_for_run(api.start(**spec, lr=lr)["id"], "completed") for lr in LEARNING_RATES]
        change = {"name": NAME, "tags": ["paper"], "notes": "the usual\n" + "x" * 200}
        api.http.patch(f"/api/v1/runs/{found[0]['id']}", json=change).raise_for_status()
        yield found


def downloaded(page: Page, link: Locator, folder: Path) -> Path:
    with page.expect_download() as download:
        link.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@pytest.fixture
def report(page: Page, paired_server: ServerProcess, runs: list[Json], tmp_path: Path) -> Path:
    """Of the first run, as its reader has it from the page."""
    open_page(page, paired_server, f"/runs/{runs[0]['id']}/files")
    return downloaded(page, page.get_by_test_id("export-html"), tmp_path)


@pytest.fixture
def comparison(page: Page, paired_server: ServerProcess, runs: list[Json], tmp_path: Path) -> Path:
    """Of all of them."""
    open_page(page, paired_server, f"/runs/compare?ids={','.join(run['id'] for run in runs)}")
    return downloaded(page, page.get_by_test_id("compare-report"), tmp_path)


@pytest.fixture
def reader(browser: Browser) -> Iterator[Page]:
    """The page of somebody without a network, in the dark theme: it may ask for the file alone."""
    context = browser.new_context(offline=True, color_scheme="dark", viewport={"width": 1280, "height": 720})
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert said == []
    assert {url.partition(":")[0] for url in asked} == {"file"}
    assert len(asked) == 1, asked


def expect_drawn(reader: Page, charts: int, lines: int) -> None:
    """So many charts of so many lines, each of which leads somewhere."""
    drawings = reader.locator("figure svg")
    expect(drawings).to_have_count(charts)
    for drawing in drawings.all():
        curves = drawing.locator("path")
        expect(curves).to_have_count(lines)
        for curve in curves.all():
            box = curve.bounding_box()
            assert box is not None
            assert box["width"] > 200


def expect_printable(reader: Page) -> None:
    """Nothing is cut off on paper, and it is dark on light."""
    reader.emulate_media(media="print")
    reader.set_viewport_size(A4)
    assert reader.evaluate(BEYOND, A4["width"]) == []
    colours = reader.evaluate(
        "() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    assert colours == ["rgb(255, 255, 255)", "rgb(20, 24, 29)"]
    assert reader.pdf(format="A4", margin=MARGINS, print_background=True).startswith(b"%PDF")


def test_the_report_of_a_run_is_read_offline_and_printed_whole(
    report: Path, reader: Page, runs: list[Json]
) -> None:
    reader.goto(report.as_uri())

    expect(reader.get_by_role("heading", level=1)).to_have_text(f"Run {NAME} ({runs[0]['id']})")
    expect_drawn(reader, charts=2, lines=1)
    rounds = reader.locator("h2:text-is('Rounds') + .wide table tbody tr")
    expect(rounds).to_have_count(ROUNDS + 1)
    expect(rounds.last).to_contain_text(f"{runs[0]['final']['accuracy'] * 100:.1f} %")
    clients = reader.locator("h2:text-is('Clients') + .wide table tbody tr")
    assert [row.locator("td").first.text_content() for row in clients.all()] == PAIR
    expect_printable(reader)


def test_a_comparison_is_read_offline_and_printed_whole(
    comparison: Path, reader: Page, runs: list[Json]
) -> None:
    reader.goto(comparison.as_uri())

    expect_drawn(reader, charts=2, lines=len(runs))
    outcomes = reader.locator("h2:text-is('What came of them') + .wide table tbody tr")
    expect(outcomes).to_have_count(len(runs))
    for row, run in zip(outcomes.all(), runs, strict=True):
        expect(row).to_contain_text(run["id"])
        expect(row).to_contain_text(f"{run['final']['accuracy'] * 100:.1f} %")
    differing = reader.locator("h2:text-is('Settings in which they differ') + .wide table tbody tr")
    expect(differing).to_have_count(1)
    expect(differing.locator("td")).to_have_text([f"{lr:g}" for lr in LEARNING_RATES])
    expect_printable(reader)
