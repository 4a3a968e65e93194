import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { ComparedRun } from "../../api/types";
import { outcome, run } from "../../testing/fixtures";
import { connected, json, serverAnswers, show } from "../../testing/page";
import ComparePage from "./ComparePage";

/** Where the cursor of the drawn chart was sent. */
const pointed = vi.hoisted(() => vi.fn());
const saved = vi.hoisted(() => vi.fn<(name: string, content: Blob) => void>());

// A canvas draws nothing in jsdom; the browser test zooms.
vi.mock("../../charts/useChart", () => ({
  useChart: () => ({ zoomed: false, range: [2, 3], reset: vi.fn(), point: pointed, instance: () => ({}) }),
}));
vi.mock("../../charts/export", () => ({ saveFile: saved, pngOf: vi.fn(), svgOf: vi.fn() }));

function compared(id: string, accuracy: number[], elapsed: number[]): ComparedRun {
  const rounds = accuracy.map((_, index) => index + 1);
  return {
    run: run({ id, name: null }),
    outcome: outcome(),
    curves: {
      rounds,
      elapsed_s: elapsed,
      values: { accuracy, loss: accuracy.map((each) => 1 - each), epsilon: accuracy },
    },
  };
}

const chart = (): HTMLElement => screen.getByTestId("compare-chart");

async function comparison(address: string) {
  const answer = {
    baseline: "a",
    runs: [compared("a", [0.5, 0.75, 0.9], [10, 20, 30]), compared("b", [0.25, 0.5], [15, 90])],
    differing: [],
    missing: [],
  };
  serverAnswers({ "GET /api/v1/runs/compare?ids=a%2Cb": () => json(answer) });
  history.replaceState(null, "", `/runs/compare?ids=a,b${address}`);
  const reader = show(<ComparePage />);
  connected();
  await waitFor(() => expect(chart()).toHaveAttribute("data-lines", "2"));
  return reader;
}

beforeEach(() => {
  localStorage.clear();
  pointed.mockClear();
  saved.mockClear();
});

describe("the chart of compared runs", () => {
  it("is a slider over the rounds, which tells every run's value", async () => {
    const reader = await comparison("");
    while (document.activeElement !== chart()) await reader.tab();
    expect(chart()).toHaveAttribute("aria-valuetext", "round 3: a 90.0 %");
    await reader.keyboard("{End}{ArrowLeft}");
    expect(chart()).toHaveAttribute("aria-valuetext", "round 2: a 75.0 %, b 50.0 %");
    expect(chart()).toHaveAttribute("aria-valuenow", "2");
    expect(pointed).toHaveBeenLastCalledWith(2);
    await reader.keyboard("{Escape}");
    expect(chart()).toHaveAttribute("aria-valuenow", "3");
  });

  it("tells by time how far each run was by then", async () => {
    const reader = await comparison("&axis=time");
    while (document.activeElement !== chart()) await reader.tab();
    await reader.keyboard("{Home}{ArrowRight}");
    expect(chart()).toHaveAttribute("aria-valuetext", "0:15 after the start: a 50.0 %, b 25.0 %");
    await reader.click(screen.getByTestId("compare-axis-round"));
    expect(location.search).toBe("?ids=a%2Cb");
    expect(chart()).toHaveAttribute("aria-valuenow", "3");
  });

  it("is saved as numbers, of what is in view alone", async () => {
    const reader = await comparison("&metric=loss");
    await reader.click(screen.getByTestId("save-comparison"));
    await reader.click(screen.getByTestId("save-comparison-csv"));
    const [name, content] = saved.mock.calls[0] ?? [];
    expect(name).toBe("comparison-loss.csv");
    expect(await content?.text()).toBe("round,b,a\r\n2,0.5,0.25\r\n3,,0.09999999999999998\r\n");
  });

  it("offers of the axis upwards what changes something, and keeps it in the address", async () => {
    const reader = await comparison("&metric=loss");
    const how = within(screen.getByRole("toolbar", { name: "how the curves are drawn" }));
    await reader.click(how.getByTestId("log"));
    await reader.click(how.getByTestId("y-zero"));
    expect(location.search).toBe("?ids=a%2Cb&metric=loss&log=1&y=zero");
    await reader.selectOptions(screen.getByTestId("compare-metric"), "accuracy");
    expect(location.search).toBe("?ids=a%2Cb&log=1&y=zero");
    expect(how.queryByTestId("log")).not.toBeInTheDocument();
    await reader.selectOptions(screen.getByTestId("compare-metric"), "epsilon");
    expect(how.queryByTestId("y-zero")).not.toBeInTheDocument();
  });
});
