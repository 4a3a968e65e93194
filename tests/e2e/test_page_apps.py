"""The page of another Flower app: any number as a curve, the app's rounds, what it prints, why it failed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from app.demo.fleet import Fleet
from shared.flower_app import FlowerApp, read_app
from tests.conftest import Clients
from tests.e2e.test_page import SLOW_MS, open_page
from tests.support.api import Api, Json
from tests.support.apps import write_app
from tests.support.processes import ServerProcess

PAIR = ["client-1", "client-2"]
SMALL: ViewportSize = {"width": 1280, "height": 720}

CLIENT_APP = """
from flwr.app import MetricRecord, Message, RecordDict
from flwr.clientapp import ClientApp

app = ClientApp()


def answer(message, **numbers):
    return Message(RecordDict({"numbers": MetricRecord({"num-examples": 40, **numbers})}), reply_to=message)


@app.train()
def train(message, context):
    at, step = message.content["ask"]["round"], message.content["ask"]["step"]
    part = context.node_config["partition-id"]
    print(f"epoch {at}   step {step}   done")
    return answer(message, gain=(at + 1) * (step + 1) + part / 10, accuracy=60.0 + 5 * at + part)


@app.evaluate()
def evaluate(message, context):
    at, part = message.content["ask"]["round"], context.node_config["partition-id"]
    return answer(message, auc=0.6 + at / 10 + part / 100, rmse=12_000 / (at + 1), accuracy=70.0 + 5 * at)
"""

SERVER_APP = """
from flwr.app import ConfigRecord, Message, RecordDict
from flwr.serverapp import ServerApp

app = ServerApp()


@app.main()
def main(grid, context):
    for at in range(context.run_config["num-server-rounds"]):
        for step, kind in enumerate(["train", "train", "evaluate"]):
            ask = RecordDict({"ask": ConfigRecord({"round": at, "step": step})})
            asked = [Message(ask, node, kind, group_id=str(at)) for node in grid.get_node_ids()]
            assert len(list(grid.send_and_receive(asked))) == len(asked)
        if at == context.run_config["fails-after"]:
            raise KeyError("a key that the app's author forgot")
    print("That was the last round.")
"""


@dataclass(frozen=True)
class Team:
    """A server and two clients that run an app, which reports neither a loss nor an accuracy as a share."""

    app: FlowerApp
    server: ServerProcess
    api: Api


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    home = tmp_path_factory.mktemp("home")
    folder = write_app(
        home / "app",
        "credit",
        name="credit-scoring",
        config="num-server-rounds = 3\nfails-after = -1",
        server_app=SERVER_APP,
        client_app=CLIENT_APP,
    )
    app = read_app(folder)
    server = ServerProcess("--app", str(folder), home=home)
    api = Api(server.url)
    with Fleet() as fleet:
        Clients(fleet, server, home / "data").start(*PAIR, app=app)
        for client_id in PAIR:
            api.wait_for_client(client_id, "idle")
        yield Team(app, server, api)
    api.close()
    server.end()


@pytest.fixture(scope="module")
def completed(team: Team) -> Json:
    return team.api.wait_for_run(team.api.start(min_clients=2)["id"], "completed")


def chart(page: Page, place: str) -> Locator:
    """The upper or the lower one."""
    return page.get_by_test_id({"upper": "chart-accuracy", "lower": "chart-loss"}[place])


def choose(page: Page, place: str, typed: str) -> None:
    """Find a metric by a part of its name, with the keyboard alone."""
    page.get_by_role("combobox", name=f"metric of the {place} chart").focus()
    page.keyboard.type(typed)
    page.keyboard.press("Enter")


def latest(page: Page, place: str) -> float:
    return float(chart(page, place).get_attribute("data-latest") or "nan")


def open_run(page: Page, team: Team, run: Json, part: str = "curves") -> None:
    open_page(page, team.server, f"/runs/{run['id']}/{part}")
    expect(page.get_by_test_id("run-id")).to_have_text(run["id"])


def test_every_number_that_an_app_reports_can_be_a_curve(page: Page, team: Team, completed: Json) -> None:
    last = team.api.rounds(completed["id"])[-1]
    open_run(page, team, completed)
    expect(chart(page, "upper")).to_have_attribute("data-points", "3")
    expect(chart(page, "upper")).to_have_attribute("data-metric", "accuracy")
    assert latest(page, "upper") == pytest.approx(0.8), "per cent are a share"
    expect(chart(page, "lower")).to_have_attribute("data-metric", "evaluate/auc")

    choose(page, "upper", "rmse")
    choose(page, "lower", "gain · train 2")

    expect(chart(page, "upper")).to_have_attribute("data-metric", "evaluate/rmse")
    assert latest(page, "upper") == pytest.approx(last["metrics"]["evaluate"]["rmse"]) == 4000
    expect(chart(page, "lower")).to_have_attribute("data-metric", "train 2/gain")
    assert latest(page, "lower") == pytest.approx(last["metrics"]["train 2"]["gain"]) == 6.05
    expect(chart(page, "lower")).to_have_attribute("data-clients", "2")
    page.reload()
    expect(chart(page, "lower")).to_have_attribute("data-metric", "train 2/gain")


def test_rounds_have_the_apps_own_numbers_beside_them(page: Page, team: Team, completed: Json) -> None:
    open_run(page, team, completed)

    expect(page.get_by_test_id("round")).to_have_text("3 of 3")
    expect(page.get_by_test_id("round-label")).to_have_text("(the app's 2)")
    expect(page.get_by_text("round 3 (the app's 2) ·").first).to_be_visible()
    expect(chart(page, "upper")).to_have_attribute("aria-busy", "false", timeout=SLOW_MS)
    box = chart(page, "upper").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + box["height"] / 2)
    expect(page.get_by_text("round 1 (the app's 0)", exact=True).first).to_be_visible()


def test_a_clients_numbers_stand_by_stage(page: Page, team: Team, completed: Json) -> None:
    open_run(page, team, completed, "clients")
    row = page.locator("[data-testid=run-client][data-client=client-1]")

    row.get_by_test_id("client-more").click()

    details = page.get_by_test_id("client-details")
    stages = details.locator("tbody[data-stage]")  # and not the table of verdicts
    expect(stages).to_have_count(3)
    assert [each.get_attribute("data-stage") for each in stages.all()] == ["train", "train 2", "evaluate"]
    reported = team.api.rounds(completed["id"])[-1]["per_client"]["client-1"]["stages"]
    for stage, gain in (("train", reported["train"]["gain"]), ("train 2", reported["train 2"]["gain"])):
        numbers = details.locator(f"tbody[data-stage='{stage}'] tr", has_text="gain")
        expect(numbers.locator("td button")).to_have_attribute("title", str(gain).removesuffix(".0"))


def test_what_an_app_prints_is_read_alone(page: Page, team: Team, completed: Json) -> None:
    open_run(page, team, completed, "events")

    page.get_by_test_id("events-app").click()

    expect(page.get_by_text("That was the last round.")).to_be_visible()
    rows = page.get_by_test_id("log-row")
    by_client = rows.filter(has_text="printed by the ClientApp of client-1")
    expect(by_client.filter(has_text="epoch 2 step 1 done")).to_be_visible()
    expect(rows.filter(has_text="aggregated")).to_have_count(0)


def test_why_an_app_failed_is_seen_without_a_click(page: Page, team: Team) -> None:
    open_page(page, team.server)
    run = team.api.start(min_clients=2, run_config={"fails-after": 1})
    expect(page.get_by_test_id("run-id")).to_have_text(run["id"])

    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "failed", timeout=SLOW_MS)
    expect(page.get_by_test_id("run-situation")).to_contain_text("a key that the app's author forgot")
    expect(page.get_by_test_id("traceback").first).to_contain_text("credit/server_app.py")
    expect(page.get_by_test_id("traceback").first).to_contain_text("KeyError")
    assert len(team.api.rounds(run["id"])) == 2, "the rounds before it stay"
    parts = [page.get_by_test_id(name).first for name in ("raised", "own-frame", "traceback")]
    expect(parts[0]).to_have_text('KeyError: "a key that the app\'s author forgot"')
    expect(parts[1]).to_have_text(re.compile(r"^server_app\.py, line \d+, in main: raise KeyError\("))
    tops = [box["y"] for part in parts if (box := part.bounding_box())]
    assert tops == sorted(tops)
    assert len(tops) == len(parts)

    page.get_by_test_id("start-again").click()

    expect(page.get_by_test_id("run-id")).not_to_have_text(run["id"])
    newest = team.api.get("/runs")["runs"][0]
    assert newest["spec"] == run["spec"]
    assert team.api.run(run["id"])["state"] == "failed", "it stays as it was"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_of_it_is_seen_without_scrolling(
    browser: Browser, team: Team, completed: Json, theme: Literal["light", "dark"], tmp_path: Path
) -> None:
    page = browser.new_page(viewport=SMALL, color_scheme=theme, reduced_motion="reduce")
    folder = Path(os.environ.get("FEDLOOM_SCREENSHOT_DIR") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("curves", "clients"):
        open_run(page, team, completed, part)
        if part == "curves":
            expect(chart(page, "upper")).to_have_attribute("data-points", "3")
        else:
            page.get_by_test_id("client-more").first.click()

        page.screenshot(path=folder / f"app-{part}-{theme}.png")

        height, width = page.evaluate(
            "[document.documentElement.scrollHeight, document.documentElement.scrollWidth]"
        )
        assert (height, width) == (SMALL["height"], SMALL["width"])
    page.close()
