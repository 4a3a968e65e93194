"""What the page offers around a run: pausing, strategies, evaluation, files, recovery, other Flower apps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.demo.fleet import Fleet
from shared.flower_app import read_app
from tests.conftest import Clients, StartServer
from tests.e2e.test_page import SLOW_MS, TRIO, open_page, start_with_form, wait_for_points
from tests.support.api import Api, Json
from tests.support.apps import copy_of
from tests.support.consistency import wait_until_kept
from tests.support.processes import ServerProcess

LONG_RUN = {"num_rounds": 10_000, "min_clients": 3, "local_epochs": 4, "lr": 0.0003}
"""Goes on until the test stops it."""
SLOW_RUN = {**LONG_RUN, "local_epochs": 20}
"""A client that is slowed is late in it."""


@dataclass(frozen=True)
class Team:
    """A server with three clients that hold digits; client-3 keeps its label counts private."""

    server: ServerProcess
    clients: Clients
    api: Api


@pytest.fixture(scope="module")
def shared_team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    server = ServerProcess(home=tmp_path_factory.mktemp("server"))
    api = Api(server.url)
    with Fleet() as fleet:
        clients = Clients(fleet, server, tmp_path_factory.mktemp("data"))
        clients.start(*TRIO[:2])
        clients.start(TRIO[2], private_labels=True)
        for client_id in TRIO:
            api.wait_for_client(client_id, "idle")
        yield Team(server, clients, api)
    api.close()
    server.end()


@pytest.fixture
def team(shared_team: Team) -> Iterator[Team]:
    yield shared_team
    shared_team.api.end_all_runs()


def client_row(page: Page, client_id: str) -> Locator:
    return page.locator(f"[data-testid=client-row][data-client={client_id}]")


def table(page: Page, test_id: str) -> list[list[str]]:
    """The texts of a table's body, row by row, without the row's head."""
    rows: list[list[str]] = page.get_by_test_id(test_id).evaluate(
        "table => [...table.tBodies[0].rows].map(row =>"
        " [...row.cells].slice(1).map(cell => cell.textContent))"
    )
    return rows


def percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def finished_run(team: Team, **spec: object) -> Json:
    run = team.api.start(**{"num_rounds": 3, "min_clients": 3, **spec})
    return team.api.wait_for_run(run["id"], "completed")


def test_a_run_is_paused_and_resumed_with_the_keyboard(page: Page, team: Team) -> None:
    run = team.api.start(**LONG_RUN)
    open_page(page, team.server)
    state = page.get_by_test_id("run-state")
    wait_for_points(page, "accuracy", 2)

    page.get_by_test_id("pause").focus()
    page.keyboard.press("Enter")

    expect(state).to_have_attribute("data-state", "paused")
    expect(page.get_by_test_id("run-situation")).to_contain_text("by request")
    assert team.api.run(run["id"])["state"] == "paused"
    expect(page.get_by_test_id("resume")).to_be_focused()
    done = len(team.api.rounds(run["id"]))
    page.keyboard.press("Enter")
    expect(state).to_have_attribute("data-state", "running")
    wait_for_points(page, "accuracy", done + 1)
    expect(page.get_by_test_id("pause")).to_be_focused()


def test_a_paused_run_can_be_stopped(page: Page, team: Team) -> None:
    run = team.api.start(**LONG_RUN)
    open_page(page, team.server)
    wait_for_points(page, "accuracy", 3)
    page.get_by_test_id("pause").click()
    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "paused")

    page.get_by_test_id("stop").click()

    expect(page.get_by_test_id("stop-consequence")).to_contain_text("checkpoint")
    page.get_by_test_id("stop-confirm").click()
    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "stopped")
    assert team.api.run(run["id"])["state"] == "stopped"


def test_a_strategy_is_chosen_with_its_parameters(page: Page, team: Team) -> None:
    before = len(team.api.get("/runs")["runs"])
    open_page(page, team.server)
    page.get_by_test_id("new-run").click()
    page.locator("[name=strategy]").select_option("fedprox")
    mu = page.locator("[name='strategy_params.proximal_mu']")

    mu.fill("-1")
    page.get_by_test_id("start-submit").click()

    expect(page.get_by_test_id("strategy")).to_contain_text("proximal_mu cannot be -1")
    assert len(team.api.get("/runs")["runs"]) == before
    mu.fill("0.5")
    page.locator("[name=num_rounds]").fill("1")
    page.get_by_test_id("start-submit").click()
    expect(page.get_by_test_id("start-form")).to_be_hidden()
    spec = team.api.get("/runs")["runs"][0]["spec"]
    assert (spec["strategy"], spec["strategy_params"]) == ("fedprox", {"proximal_mu": 0.5})


def test_every_strategy_that_is_offered_can_be_started(page: Page, team: Team) -> None:
    offered = {strategy["name"]: strategy for strategy in team.api.get("/strategies")["strategies"]}
    open_page(page, team.server)
    for name, strategy in offered.items():
        start_with_form(page, strategy=name, num_rounds="1", min_clients="100")
        expect(page.get_by_test_id("start-form")).to_be_hidden()
        spec = team.api.get("/runs")["runs"][0]["spec"]
        defaults = {
            parameter["name"]: parameter["default"]
            for parameter in strategy["parameters"]
            if parameter["default"] is not None
        }
        assert (spec["strategy"], spec["strategy_params"]) == (name, defaults)


def test_what_happens_with_late_clients_is_set_in_the_form(page: Page, team: Team) -> None:
    open_page(page, team.server)
    page.get_by_test_id("new-run").click()
    page.get_by_test_id("late").click()
    page.locator("[name=round_timeout_s]").fill("30")
    page.locator("[name=min_replies]").fill("3")

    page.get_by_test_id("start-submit").click()

    expect(page.locator("[name=min_replies]")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[name=min_replies]")).to_be_focused()
    page.locator("[name=min_clients]").fill("3")
    page.locator("[name=num_rounds]").fill("1")
    page.get_by_test_id("start-submit").click()
    expect(page.get_by_test_id("start-form")).to_be_hidden()
    spec = team.api.get("/runs")["runs"][0]["spec"]
    assert (spec["round_timeout_s"], spec["min_replies"]) == (30, 3)


def test_the_evaluation_shows_each_round_by_class(page: Page, team: Team) -> None:
    run = finished_run(team)
    rounds = team.api.rounds(run["id"])

    open_page(page, team.server, f"/runs/{run['id']}/data")

    for expected in (rounds[-1], rounds[-2]):
        expect(page.get_by_test_id("evaluation-round")).to_have_text(f"round {expected['round']}")
        shown = table(page, "confusion")
        assert [row[:-1] for row in shown] == [[str(n) for n in row] for row in expected["confusion"]]
        assert [row[-1] for row in shown] == [percent(share) for share in expected["class_accuracy"]]
        page.get_by_role("button", name="previous round").click()


def test_the_round_that_was_chosen_in_the_curves_is_the_one_evaluated(page: Page, team: Team) -> None:
    run = finished_run(team)
    open_page(page, team.server, f"/runs/{run['id']}/curves")
    wait_for_points(page, "accuracy", 4)
    page.get_by_test_id("chart-accuracy").focus()

    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.get_by_test_id("part-data").click()

    shown = page.get_by_test_id("evaluation-round")
    expect(shown).to_have_text("round 0")
    page.get_by_test_id("evaluation-newest").click()
    expect(shown).to_have_text("round 3")


def test_each_clients_labels_stand_beside_its_accuracy(page: Page, team: Team) -> None:
    last = team.api.rounds(finished_run(team, alpha=0.3)["id"])[-1]
    counts = team.api.clients()["client-1"]["label_counts"]
    open_page(page, team.server, "/data")

    page.get_by_test_id("evaluation-labels").click()

    expect(page.get_by_test_id("labels")).to_be_visible()
    expect(page.get_by_test_id("unusual")).to_contain_text("2 clients")  # client-3 keeps its labels private
    page.get_by_test_id("order-by name").click()
    shown = dict(zip(TRIO, table(page, "labels"), strict=True))
    accuracy = {client_id: percent(part["accuracy"]) for client_id, part in last["per_client"].items()}
    assert [*shown["client-1"][:-2], shown["client-1"][-1]] == [*map(str, counts), accuracy["client-1"]]
    kept = "label counts: kept private by its site, or not reported yet"
    assert shown["client-3"] == [kept, "–", accuracy["client-3"]]
    page.get_by_test_id("view-live").click()
    strip = client_row(page, "client-1").get_by_test_id("label-strip")
    expect(strip.locator("..")).to_have_attribute(
        "title", "\n".join(["training samples by label", *named(counts)])
    )
    expect(client_row(page, "client-3").get_by_test_id("label-strip")).to_have_count(0)


def named(counts: list[int]) -> list[str]:
    return [f"{label}: {samples}" for label, samples in enumerate(counts)]


def test_checkpoints_and_results_can_be_taken_away(page: Page, team: Team, tmp_path: Path) -> None:
    run = finished_run(team, num_rounds=5, keep_checkpoints=2)
    kept = team.api.get(f"/runs/{run['id']}/checkpoints")["checkpoints"]

    open_page(page, team.server, f"/runs/{run['id']}/files")

    rows = page.get_by_test_id("checkpoint-row")
    expect(rows).to_have_count(len(kept))
    newest_first = [checkpoint["round"] for checkpoint in reversed(kept)]
    assert [int(row.get_attribute("data-round") or -1) for row in rows.all()] == newest_first
    (best,) = (checkpoint["round"] for checkpoint in kept if checkpoint["best"])
    expect(page.locator(f"[data-testid=checkpoint-row][data-round='{best}']")).to_contain_text("best")
    with page.expect_download() as model:
        page.get_by_role("link", name=f"Download the model of round {best}").click()
    model.value.save_as(tmp_path / "model")
    sizes = {checkpoint["round"]: checkpoint["bytes"] for checkpoint in kept}
    assert (tmp_path / "model").stat().st_size == sizes[best]
    assert model.value.suggested_filename.endswith(".safetensors")
    with page.expect_download() as document:
        page.get_by_test_id("export-json").click()
    document.value.save_as(tmp_path / "run.json")
    exported = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert run["id"] in json.dumps(exported)
    for kind in ("csv", "tensorboard"):
        with page.expect_download() as archive:
            page.get_by_test_id(f"export-{kind}").click()
        archive.value.save_as(tmp_path / kind)
        assert (tmp_path / kind).read_bytes().startswith(b"PK")


def test_a_run_that_waits_for_a_late_client_says_so(page: Page, team: Team) -> None:
    open_page(page, team.server)
    team.api.start(**SLOW_RUN, round_timeout_s=2.0, min_replies=3)
    wait_for_points(page, "accuracy", 2)

    with team.clients.slowed("client-2"):
        row = client_row(page, "client-2")
        expect(row).to_have_attribute("data-state", "late", timeout=SLOW_MS)
        expect(row.get_by_test_id("client-state")).to_have_text(re.compile(r"late [1-9]\d* s"))
        expect(page.get_by_test_id("role-late")).to_contain_text("1 late")
        expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "waiting")
        expect(page.get_by_test_id("run-situation")).to_contain_text(
            re.compile(r"client-2 is [1-9]\d* s late")
        )

    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "running", timeout=SLOW_MS)
    expect(row).not_to_have_attribute("data-state", "late", timeout=SLOW_MS)


def test_an_interrupted_run_is_resumed(page: Page, start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    with Fleet() as fleet, closing(Api(server.url)) as api:
        Clients(fleet, server, tmp_path).start(*TRIO)
        run = api.start(**LONG_RUN)
        api.wait_for_round(run["id"], 2)
        wait_until_kept(
            server.home, lambda store: len(store.rounds(run["id"])) > 2, "there are rounds 0 to 2"
        )
        server.process.kill()
        server.process.wait()
        again = start_server("--resume", "never", port=server.port, link_port=server.link_port)
        open_page(page, again)
        state = page.get_by_test_id("run-state")
        expect(state).to_have_attribute("data-state", "interrupted")
        expect(page.get_by_test_id("run-situation")).to_contain_text("the server ended while it was going on")
        page.get_by_test_id("view-runs").click()
        expect(page.locator("[data-testid=run-row][data-state=interrupted]")).to_be_visible()
        page.get_by_test_id("view-live").click()
        wait_for_points(page, "accuracy", 3)  # the curves of before are there
        known = int(page.get_by_test_id("chart-accuracy").get_attribute("data-points") or 0)

        page.get_by_test_id("resume").click()

        expect(state).to_have_attribute("data-state", "running", timeout=SLOW_MS)
        expect(page.get_by_test_id("run-id")).to_have_text(run["id"])
        wait_for_points(page, "accuracy", known + 1)
        api.end_all_runs()


def test_another_flower_app_is_started_and_watched(
    page: Page, start_server: StartServer, tmp_path: Path
) -> None:
    folder = copy_of("quickstart-numpy", tmp_path)
    server = start_server("--app", str(folder))
    with Fleet() as fleet:
        Clients(fleet, server, tmp_path).start("client-1", "client-2", app=read_app(folder))
        api = Api(server.url)
        for client_id in ("client-1", "client-2"):
            api.wait_for_client(client_id, "idle")
        open_page(page, server)
        page.get_by_test_id("new-run").click()
        expect(page.get_by_test_id("app")).to_contain_text("quickstart-numpy 1.0.0")
        expect(page.locator("[name=dataset]")).to_have_count(0)
        expect(page.locator("[name=num_rounds]")).to_have_value("3")
        page.locator("[name='run_config.learning-rate']").fill("0.2")
        page.locator("[name=num_rounds]").fill("2")

        page.get_by_test_id("start-submit").click()

        expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "completed", timeout=SLOW_MS)
        run = api.get("/runs")["runs"][0]
        assert run["spec"]["run_config"] == {"learning-rate": 0.2}
        expect(page.get_by_test_id("round")).to_have_text("2 of 2")
        loss = page.get_by_test_id("chart-loss")
        expect(loss).to_have_attribute("data-source", "mean")
        expect(loss).to_have_attribute("data-points", "2")
        latest = float(loss.get_attribute("data-latest") or "nan")
        assert latest == pytest.approx(api.rounds(run["id"])[-1]["client_loss"])
        client_row(page, "client-1").get_by_test_id("client-more").click()
        expect(page.get_by_test_id("client-details")).to_contain_text("local-epochs")
        api.close()


def test_an_interrupted_run_of_another_app_is_started_again(
    page: Page, start_server: StartServer, tmp_path: Path
) -> None:
    folder = copy_of("quickstart-numpy", tmp_path)
    server = start_server("--app", str(folder))
    with Fleet() as fleet:
        Clients(fleet, server, tmp_path).start("client-1", "client-2", app=read_app(folder))
        api = Api(server.url)
        open_page(page, server)
        run = api.start(num_rounds=10_000)
        api.wait_for_round(run["id"], 2)
        server.process.kill()
        server.process.wait()
    start_server("--app", str(folder), port=server.port, link_port=server.link_port)
    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "interrupted", timeout=SLOW_MS)
    expect(page.get_by_test_id("run-situation")).to_contain_text("only the app knows its state")

    page.get_by_test_id("start-again").click()

    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "waiting")
    first, second = reversed(api.get("/runs")["runs"])
    assert (first["id"], first["state"]) == (run["id"], "interrupted"), "it stays as it was"
    assert second["spec"] == first["spec"]
    expect(page.get_by_test_id("run-id")).to_have_text(second["id"])
    api.close()
