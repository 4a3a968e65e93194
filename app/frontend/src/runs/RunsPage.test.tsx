import { act, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cameIn } from "../login/who";
import { me, outcome, run, runList, spec } from "../testing/fixtures";
import { connected, json, problem, serverAnswers, show, toldIn } from "../testing/page";
import ComparePage from "./compare/ComparePage";
import RunsPage from "./RunsPage";

// A canvas draws nothing in jsdom; the browser tests look at the curves.
vi.mock("../charts/useChart", () => ({
  useChart: () => ({ zoomed: false, range: null, point: () => undefined }),
}));

const RUNS = [
  run({ id: "aa", state: "completed", name: "best", tags: ["paper"] }),
  run({ id: "bb", state: "failed", spec: spec({ lr: 0.2 }) }),
];
const LIST = "GET /api/v1/runs?sort=created&order=desc&offset=0&limit=100";
const listed = { [LIST]: () => json(runList(RUNS, { tags: ["paper"] })) };

beforeEach(() => {
  history.replaceState(null, "", "/runs");
  cameIn(me());
});
afterEach(() => history.replaceState(null, "", "/"));

async function row(id: string): Promise<HTMLElement> {
  const rows = await screen.findAllByTestId("run-row");
  const found = rows.find((each) => each.dataset.run === id);
  if (found === undefined) throw new Error(`there is no row of run ${id}`);
  return found;
}

describe("the list of runs", () => {
  it("shows names, tags and settings", async () => {
    serverAnswers(listed);
    show(<RunsPage />);
    connected();
    expect(await row("aa")).toHaveTextContent(/best.*paper/);
    expect(await row("bb")).toHaveTextContent(/bb.*0\.2/);
    expect(screen.getByTestId("runs-count")).toHaveTextContent("2");
  });

  it("is searched by the server, and the address says so", async () => {
    const query = "GET /api/v1/runs?q=best&sort=created&order=desc&offset=0&limit=100";
    const found = runList(RUNS.slice(0, 1), { states: { completed: 1, failed: 1 } });
    serverAnswers({ ...listed, [query]: () => json(found) });
    const reader = show(<RunsPage />);
    connected();
    await row("bb");
    await reader.type(screen.getByTestId("search-runs"), "best");
    await waitFor(() => expect(screen.getByTestId("runs-count")).toHaveTextContent("1 of 2"));
    expect(location.search).toBe("?q=best");
  });

  it("is put in order by a column", async () => {
    const query = "GET /api/v1/runs?sort=accuracy&order=desc&offset=0&limit=100";
    const asked = serverAnswers({ ...listed, [query]: () => json(runList(RUNS)) });
    const reader = show(<RunsPage />);
    connected();
    await row("aa");
    await reader.click(screen.getByTestId("sort-accuracy"));
    await waitFor(() => expect(asked.map(({ what }) => what)).toContain(query));
    expect(location.search).toBe("?sort=accuracy&order=desc");
  });

  it("is gone through with the arrow keys; the space bar selects, Enter opens", async () => {
    serverAnswers(listed);
    const reader = show(<RunsPage />);
    connected();
    const [first, second] = [await row("aa"), await row("bb")];
    expect([first.tabIndex, second.tabIndex]).toEqual([0, -1]);
    act(() => first.focus());

    await reader.keyboard("{ArrowDown}");
    expect(await row("bb")).toHaveFocus();
    expect([first.tabIndex, second.tabIndex]).toEqual([-1, 0]);
    await reader.keyboard(" ");
    expect(await row("bb")).toHaveAttribute("aria-selected", "true");
    expect(location.search).toBe("?selected=bb");
    await reader.keyboard("{Home}{Enter}");
    expect(location.pathname).toBe("/runs/aa/curves");
  });

  it("changes name and tags where they stand", async () => {
    const changed = () => json({ ...RUNS[0], name: "new" });
    const asked = serverAnswers({ ...listed, "PATCH /api/v1/runs/aa": changed });
    const reader = show(<RunsPage />);
    connected();
    await reader.click(within(await row("aa")).getByTestId("edit-run"));
    const input = screen.getByRole("textbox", { name: "name and #tags of run aa" });
    expect(input).toHaveValue("best #paper");
    await reader.clear(input);
    await reader.type(input, "new #x, y{Enter}");
    await waitFor(() =>
      expect(toldIn(asked)).toEqual([
        { what: "PATCH /api/v1/runs/aa", body: { name: "new", tags: ["x", "y"] } },
      ]),
    );
  });

  it("leaves a name as it was on Escape", async () => {
    const asked = serverAnswers(listed);
    const reader = show(<RunsPage />);
    connected();
    await reader.click(within(await row("aa")).getByTestId("edit-run"));
    await reader.keyboard("nonsense{Escape}");
    expect(await row("aa")).toHaveTextContent("best");
    expect(toldIn(asked)).toEqual([]);
  });

  it("asks before it deletes, and says what could not be deleted", async () => {
    const kept = [{ id: "bb", why: "Run bb cannot be deleted: it is running." }];
    const asked = serverAnswers({
      ...listed,
      "DELETE /api/v1/runs?ids=aa%2Cbb": () => json({ deleted: ["aa"], kept }),
    });
    history.replaceState(null, "", "/runs?selected=aa,bb");
    const reader = show(<RunsPage />);
    connected();
    await row("aa");
    expect(screen.getByTestId("compare")).toHaveAttribute("href", "/runs/compare?ids=aa,bb");
    await reader.click(screen.getByTestId("delete-runs"));
    expect(await screen.findByText("Delete 2 runs?")).toBeVisible();
    expect(screen.getByTestId("delete-runs-consequence")).toHaveTextContent(
      "Their curves, checkpoints and exports are gone; the audit log keeps what it says of them.",
    );
    expect(toldIn(asked)).toEqual([]);
    await reader.click(screen.getByTestId("delete-runs-confirm"));
    expect(await screen.findByText(/1 run deleted\. Run bb cannot be deleted/)).toBeVisible();
  });

  it("offers a viewer nothing to change", async () => {
    cameIn(me({ role: "viewer" }));
    serverAnswers(listed);
    history.replaceState(null, "", "/runs?selected=aa");
    show(<RunsPage />);
    connected();
    expect(within(await row("aa")).queryByTestId("edit-run")).not.toBeInTheDocument();
    expect(screen.queryByTestId("delete-runs")).not.toBeInTheDocument();
  });

  it("says why it cannot be had", async () => {
    serverAnswers({ [LIST]: () => problem(503, "The database is locked.") });
    show(<RunsPage />);
    connected();
    expect(await screen.findByText(/The database is locked/)).toBeVisible();
  });
});

describe("the comparison", () => {
  const comparison = {
    baseline: "aa",
    missing: ["gone"],
    differing: [{ name: "lr", values: [0.05, 0.2] }],
    runs: RUNS.map((each, index) => ({
      run: each,
      outcome: outcome({ final: { round: 2, accuracy: 0.9 - index / 10 } }),
      curves: { rounds: [1, 2], elapsed_s: [10, 20], values: { accuracy: [0.5, 0.9], loss: [1, 0.5] } },
    })),
  };

  it("says which was better, by how much, and what was different", async () => {
    serverAnswers({ "GET /api/v1/runs/compare?ids=aa%2Cbb%2Cgone": () => json(comparison) });
    history.replaceState(null, "", "/runs/compare?ids=aa,bb,gone");
    const reader = show(<ComparePage />);
    connected();
    expect(await screen.findByTestId("compare-chart")).toHaveAttribute("data-lines", "2");
    expect(screen.getAllByTestId("difference").map((each) => each.textContent)).toEqual([
      "baseline",
      "−10.0",
    ]);
    expect(screen.getByTestId("differing")).toHaveTextContent(/Learning rate0\.050\.2/);
    expect(screen.getByText("gone")).toBeVisible();
    await reader.selectOptions(screen.getByTestId("compare-metric"), "loss");
    expect(screen.getByTestId("compare-chart")).toHaveAttribute("data-metric", "loss");
    expect(location.search).toContain("metric=loss");
  });

  it("says what to do where nothing is named", () => {
    history.replaceState(null, "", "/runs/compare");
    show(<ComparePage />);
    connected();
    expect(screen.getByRole("alert")).toHaveTextContent("Select two or more among the runs");
  });
});
