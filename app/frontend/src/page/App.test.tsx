import { screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, it, vi } from "vitest";
import { useStore } from "../store/store";
import { client, logEntry, result, round, run, strategy } from "../testing/fixtures";
import { connected, json, problem, serverAnswers, show } from "../testing/page";
import { App } from "./App";

// A canvas draws nothing in jsdom; the browser tests look at the curves.
vi.mock("../charts/useChart", () => ({ useChart: () => ({ zoomed: false, reset: () => undefined }) }));

const STRATEGIES = { "GET /api/v1/strategies": () => json({ strategies: [strategy()] }) };
const busy = {
  runs: [
    run({ id: "aa", clients: ["client-1"] }),
    run({ id: "old", state: "completed" as const, created_at: 1 }),
  ],
  rounds: { aa: [round(1, { accuracy: 0.9, per_client: { "client-1": result({ error: "failed" }) } })] },
  clients: [client("client-1", { label_counts: [3, 4] }), client("client-2", { state: "late" as const })],
  logs: [logEntry(1, { traceback: "Traceback" })],
};

/** Faults against WCAG that can be told without a layout. */
async function faultsIn(part: HTMLElement): Promise<string[]> {
  const { violations } = await axe.run(part, { rules: { "color-contrast": { enabled: false } } });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

describe("the page", () => {
  it("says in the tab how far the run is", () => {
    serverAnswers(STRATEGIES);
    show(<App />);
    expect(document.title).toBe("FedLoom");
    connected(busy);
    expect(document.title).toBe("4 of 10 · FedLoom");
  });

  it("names a run's strategy by the title that the server has for it", async () => {
    serverAnswers(STRATEGIES);
    show(<App />);
    connected(busy);
    expect(await within(screen.getByTestId("run-bar")).findByText(/Digits · CNN · FedAvg/)).toBeVisible();
  });

  it("fetches the curves of a past run that the reader chooses", async () => {
    const rounds = [round(0, { accuracy: 0.1 }), round(1, { accuracy: 0.7 })];
    serverAnswers({ ...STRATEGIES, "GET /api/v1/runs/old/rounds": () => json({ rounds }) });
    const reader = show(<App />);
    connected(busy);
    await reader.click(screen.getByRole("button", { name: /old/ }));
    const chart = screen.getByTestId("chart-accuracy");
    await waitFor(() => expect(chart).toHaveAttribute("data-points", "2"));
    expect(chart).toHaveAttribute("data-run", "old");
  });

  it("says why the curves of a past run cannot be had, and forgets it with the next run", async () => {
    serverAnswers({
      ...STRATEGIES,
      "GET /api/v1/runs/old/rounds": () => problem(503, "The database is locked."),
    });
    const reader = show(<App />);
    connected(busy);
    await reader.click(screen.getByRole("button", { name: /old/ }));
    const words = "The curves of run old could not be loaded: The database is locked.";
    expect(await screen.findAllByText(words)).toHaveLength(2);
    useStore.setState({ chosenRun: "aa" });
    await waitFor(() => expect(screen.queryByText(words)).not.toBeInTheDocument());
  });

  it("asks for the strategies again from a server that was started anew", async () => {
    let title = "FedAvg";
    serverAnswers({ "GET /api/v1/strategies": () => json({ strategies: [strategy({ title })] }) });
    show(<App />);
    connected(busy);
    await within(screen.getByTestId("run-bar")).findByText(/CNN · FedAvg/);
    title = "Federated averaging";
    connected({ ...busy, instance: "two" });
    await within(screen.getByTestId("run-bar")).findByText(/CNN · Federated averaging/);
  });
});

describe("the page is for everybody", () => {
  it.each([
    ["before there is anything", {}],
    ["with a run", busy],
  ])("%s", async (_, changes) => {
    serverAnswers(STRATEGIES);
    show(<App />);
    connected(changes);
    expect(await faultsIn(document.body)).toEqual([]);
  });

  it("while a run is asked for", async () => {
    serverAnswers(STRATEGIES);
    const reader = show(<App />);
    connected(busy);
    await reader.click(screen.getByTestId("new-run"));
    const form = await screen.findByTestId("start-form");
    expect(await faultsIn(form)).toEqual([]);
  });
});
