"""A label at a line's end has the value of the round at which the line ends, also after zooming."""

from __future__ import annotations

from contextlib import closing

from playwright.sync_api import Page, expect

from tests.e2e.test_page import open_page, wait_for_points
from tests.support.api import Api
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

RECORD_TEXTS = """
window.drawn = [];
const fillText = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
  window.drawn.push(text);
  return fillText.call(this, text, ...rest);
};
"""


def test_after_zooming_the_label_shows_the_last_round_in_view(
    page: Page, paired_server: ServerProcess
) -> None:
    with closing(Api(paired_server.url)) as api:
        run = api.wait_for_run(api.start(num_rounds=4, min_clients=2)["id"], "completed")
        accuracies = [f"{round_['accuracy'] * 100:.1f} %" for round_ in api.rounds(run["id"])]
    assert accuracies[1] != accuracies[4]
    page.add_init_script(RECORD_TEXTS)
    open_page(page, paired_server)
    wait_for_points(page, "accuracy", 5)

    box = page.get_by_test_id("chart-accuracy").bounding_box()
    assert box is not None
    first, width, middle = box["x"] + 56, box["width"] - 56 - 120, box["y"] + box["height"] / 2
    page.mouse.move(first + 4, middle)
    page.mouse.down()
    page.mouse.move(first + 0.3 * width, middle, steps=5)
    page.mouse.up()

    expect(page.get_by_role("button", name="Show all rounds").first).to_be_visible()
    wait_until(
        lambda: page.evaluate("label => window.drawn.includes(label)", f"global  {accuracies[1]}"),
        "the label of the accuracy has the value of round 1",
        timeout_s=8.0,
    )
