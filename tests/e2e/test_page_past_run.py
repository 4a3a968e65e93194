"""A past run is shown by itself: nothing of a newer run stands beside its curves."""

from __future__ import annotations

from contextlib import closing

from playwright.sync_api import Page, expect

from tests.e2e.conftest import PAIR
from tests.e2e.test_page import open_page
from tests.support.api import Api
from tests.support.processes import ServerProcess


def test_the_older_of_two_runs_has_its_own_clients_labels_and_events(
    page: Page, paired_server: ServerProcess
) -> None:
    with closing(Api(paired_server.url)) as api:
        old, new = (
            api.wait_for_run(api.start(num_rounds=2, min_clients=2, alpha=0.3, seed=seed)["id"], "completed")
            for seed in (1, 2)
        )
        labels = {run["id"]: api.get(f"/runs/{run['id']}/labels")["label_counts"] for run in (old, new)}
        last = api.rounds(old["id"])[-1]["per_client"]
    assert labels[old["id"]].keys() == labels[new["id"]].keys() == set(PAIR)
    assert labels[old["id"]] != labels[new["id"]], "another seed divides the data in another way"
    open_page(page, paired_server, "/runs")
    page.locator(f"[data-testid=run-row][data-run='{old['id']}']").click()
    page.get_by_test_id("part-clients").click()

    rows = page.get_by_test_id("run-client")

    expect(rows).to_have_count(len(PAIR))
    for client_id in PAIR:
        row = page.locator(f"[data-testid=run-client][data-client={client_id}]")
        lines = [f"{label}: {count}" for label, count in enumerate(labels[old["id"]][client_id])]
        expect(row.get_by_test_id("label-strip").locator("..")).to_have_attribute(
            "title", "\n".join(["training samples by label", *lines])
        )
        expect(row.get_by_test_id("client-accuracy")).to_have_text(
            f"{last[client_id]['accuracy']:.1%}"[:-1] + " %"
        )
    page.get_by_test_id("part-events").click()
    events = page.get_by_test_id("events")
    expect(events).to_contain_text(old["id"])
    expect(events).not_to_contain_text(new["id"])
