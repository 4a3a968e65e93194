import { act, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { describe, expect, it, vi } from "vitest";
import { clock } from "../format/format";
import { connectionChanged } from "../store/store";
import { client, logEntry, result, round, run, runList, strategy } from "../testing/fixtures";
import { connected, happens, json, problem, serverAnswers, show } from "../testing/page";
import { App } from "./App";
import { NAV } from "./nav";

// A canvas draws nothing in jsdom; the browser tests look at the curves.
vi.mock("../charts/useChart", () => ({ useChart: () => ({ zoomed: false, reset: () => undefined }) }));

const LISTED = {
  "GET /api/v1/runs?sort=created&order=desc&offset=0&limit=100": () => json(runList(busy.runs)),
};
const OLD_ROUNDS = "GET /api/v1/runs/old/rounds?after=-1&limit=250&points=2000";
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
    expect(document.title).toBe("▶ 4/10 90.0 % · FedLoom");
  });

  it("lets nothing stay bright that the server does not confirm any more", () => {
    serverAnswers(STRATEGIES);
    show(<App />);
    connected(busy);
    expect(screen.getByRole("main")).toHaveAttribute("data-stale", "false");
    act(() => connectionChanged("reconnecting", 1000));
    expect(screen.getByRole("main")).toHaveAttribute("data-stale", "true");
    expect(screen.getByTestId("stale")).toHaveTextContent(new RegExp(`^as of ${clock(1000)}, \\d.* old:$`));
    expect(document.title).toBe("server gone · FedLoom");
    act(() => connectionChanged("connected"));
    expect(screen.queryByTestId("stale")).not.toBeInTheDocument();
  });

  it("announces an error that comes while the reader looks at another page", async () => {
    serverAnswers(STRATEGIES);
    const reader = show(<App />);
    connected(busy);
    await reader.click(screen.getByTestId("view-trust"));
    expect(screen.queryByTestId("unseen-errors")).not.toBeInTheDocument();
    const { seq, time, ...data } = logEntry(11, { level: "error", message: "the disk is full" });
    happens({ seq, time, type: "log", data });
    expect(screen.getByTestId("unseen-errors")).toHaveTextContent("1 new error");
    expect(screen.getAllByRole("alert").map((each) => each.textContent)).toContain("the disk is full");
    await reader.click(screen.getByTestId("view-live"));
    expect(screen.queryByTestId("unseen-errors")).not.toBeInTheDocument();
    await reader.click(screen.getByTestId("view-trust"));
    expect(screen.queryByTestId("unseen-errors")).not.toBeInTheDocument();
  });

  it("names a run's strategy by the title that the server has for it", async () => {
    serverAnswers(STRATEGIES);
    show(<App />);
    connected(busy);
    expect(await within(screen.getByTestId("run-bar")).findByText(/Digits · CNN · FedAvg/)).toBeVisible();
  });

  it("fetches the curves of a past run that the reader chooses", async () => {
    const rounds = [round(0, { accuracy: 0.1 }), round(1, { accuracy: 0.7 })];
    serverAnswers({ ...STRATEGIES, ...LISTED, [OLD_ROUNDS]: () => json({ rounds, more: false }) });
    const reader = show(<App />);
    connected(busy);
    await reader.click(screen.getByTestId("view-runs"));
    await reader.click(await screen.findByRole("link", { name: /old/ }));
    const chart = await screen.findByTestId("chart-accuracy");
    await waitFor(() => expect(chart).toHaveAttribute("data-points", "2"));
    expect(chart).toHaveAttribute("data-run", "old");
  });

  it("says why the curves of a past run cannot be had, and forgets it with the next run", async () => {
    serverAnswers({
      ...STRATEGIES,
      ...LISTED,
      [OLD_ROUNDS]: () => problem(503, "The database is locked."),
    });
    const reader = show(<App />);
    connected(busy);
    await reader.click(screen.getByTestId("view-runs"));
    await reader.click(await screen.findByRole("link", { name: /old/ }));
    const words = "The curves of run old could not be loaded: The database is locked.";
    expect(await screen.findAllByText(words)).toHaveLength(2);
    act(() => history.pushState(null, "", "/"));
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
    const reader = show(<App />);
    connected(changes);
    for (const { title } of NAV) {
      await reader.click(screen.getByTestId(`view-${title.toLowerCase()}`));
      // Without a socket, nobody tells the page of new lines, and the log waits for that.
      if (title === "Logs") await screen.findByTestId("log-jump");
      else await waitFor(() => expect(screen.queryByText(/^loading/)).not.toBeInTheDocument());
      expect(await faultsIn(document.body), title).toEqual([]);
    }
  });

  it.each(["curves", "clients", "data", "events", "files"])("the %s of a run", async (part) => {
    serverAnswers(STRATEGIES);
    history.replaceState(null, "", `/runs/aa/${part}`);
    show(<App />);
    connected(busy);
    expect(await screen.findByTestId(`part-${part}`)).toHaveAttribute("aria-current", "page");
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
