import { act, screen, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { takeEntrance } from "../login/entrance";
import { client, mesh, run, strategy } from "../testing/fixtures";
import { connected, happens, json, serverAnswers, show } from "../testing/page";
import { App } from "./App";
import { isAt } from "./nav";

// A canvas draws nothing in jsdom; the browser tests look at the curves.
vi.mock("../charts/useChart", () => ({ useChart: () => ({ zoomed: false, reset: () => undefined }) }));

const ANSWERS = {
  "GET /api/v1/strategies": () => json({ strategies: [strategy()] }),
  "GET /api/v1/mesh": () => json({ nodes: [] }),
};
const TWO = { runs: [run({ id: "aa" }), run({ id: "old", state: "completed" as const, created_at: 1 })] };

function open(path: string): void {
  act(() => history.pushState(null, "", path));
}

describe("the page's address", () => {
  it.each([
    ["/", "/", true],
    ["/runs", "/", false],
    ["/runs/7f3a/curves", "/runs", true],
    ["/runsonly", "/runs", false],
  ])("%j belongs to %s: %j", (path, to, belongs) => expect(isAt(path, to)).toBe(belongs));

  it("says what the page is about, and the run stays in sight", async () => {
    serverAnswers(ANSWERS);
    show(<App />);
    connected({ ...TWO, clients: [client("a", { key: "A", mesh: mesh() })] });
    expect(screen.getByTestId("chart-accuracy")).toBeVisible();
    open("/network");
    expect(await screen.findByTestId("network-graph")).toBeVisible();
    expect(screen.queryByTestId("chart-accuracy")).not.toBeInTheDocument();
    expect(screen.getByTestId("run-bar")).toBeVisible();
    expect(screen.getByTestId("view-network")).toHaveAttribute("aria-current", "page");
    open("/");
    expect(screen.getByTestId("chart-accuracy")).toBeVisible();
    expect(screen.getByTestId("view-network")).not.toHaveAttribute("aria-current");
  });

  it("names the run: a reload keeps it, and the way back leads to the one that is running", async () => {
    serverAnswers(ANSWERS);
    history.replaceState(null, "", "/runs/old");
    const reader = show(<App />);
    connected(TWO);
    expect(await screen.findByTestId("part-curves")).toHaveAttribute("aria-current", "page");
    expect(location.pathname).toBe("/runs/old/curves");
    expect(screen.getByTestId("run-id")).toHaveTextContent("old");
    connected({ ...TWO, instance: "the server was started anew" });
    expect(screen.getByTestId("run-id")).toHaveTextContent("old");
    await reader.click(screen.getByTestId("part-files"));
    expect(location.pathname).toBe("/runs/old/files");
    await reader.click(screen.getByTestId("follow-active"));
    expect(location.pathname).toBe("/");
    expect(screen.getByTestId("run-id")).toHaveTextContent("aa");
  });

  it("names the run on a page that is of one without its id in the path, and goes on to follow", async () => {
    serverAnswers({ ...ANSWERS, "GET /api/v1/runs/aa/labels": () => json({ label_counts: {} }) });
    history.replaceState(null, "", "/data?view=labels");
    show(<App />);
    connected(TWO);
    await waitFor(() => expect(location.search).toBe("?view=labels&in=aa"));
    const next = run({ id: "bb", created_at: 300 });
    happens(
      { seq: 11, time: 201, type: "run_update", data: run({ id: "aa", state: "completed" }) },
      { seq: 12, time: 201, type: "run_update", data: next },
    );
    await waitFor(() => expect(location.search).toBe("?view=labels&in=bb"));
    expect(screen.getByTestId("run-id")).toHaveTextContent("bb");
  });

  it("has the same run for whoever opens a link that was sent, also one that the page does not hold", async () => {
    const first = run({ id: "first", state: "completed", created_at: 0, clients: ["mary"] });
    serverAnswers({ ...ANSWERS, "GET /api/v1/runs/first": () => json(first) });
    history.replaceState(null, "", "/clients/mary?in=first");
    const reader = show(<App />);
    connected({ ...TWO, clients: [client("mary")] });
    expect(await screen.findByTestId("client-in-run")).toHaveTextContent("first");
    expect(screen.getByTestId("past-run")).toBeVisible();
    expect(location.search).toBe("?in=first");
    await reader.click(screen.getByTestId("follow-active"));
    expect(location.pathname).toBe("/clients/mary");
    await waitFor(() => expect(location.search).toBe("?in=aa"));
    open("/data?in=nowhere");
    expect(await screen.findByTestId("no-such-run")).toHaveTextContent("This server has no run nowhere");
  });

  it("has a page for the machines", async () => {
    serverAnswers({
      ...ANSWERS,
      "GET /api/v1/system?points=90": () => json({ since: 0, until: 1, nodes: [] }),
    });
    history.replaceState(null, "", "/system");
    show(<App />);
    connected();
    expect(await screen.findByTestId("no-system")).toBeVisible();
    expect(screen.getByTestId("view-system")).toHaveAttribute("aria-current", "page");
    expect(screen.getByTestId("run-bar")).toBeVisible();
  });

  it.each([
    ["/runs/gone/curves", "no-such-run", "This server has no run gone"],
    ["/runs/aa/anything", "no-such-run", "A run has no page anything"],
    ["/anything", "no-such-page", "There is nothing at /anything"],
  ])("%s is nowhere, and the page says so", async (path, part, words) => {
    serverAnswers(ANSWERS);
    history.replaceState(null, "", path);
    show(<App />);
    connected(TWO);
    expect(await screen.findByTestId(part)).toHaveTextContent(words);
  });

  it("is kept when the page is opened, and forgets what lets somebody in", () => {
    history.replaceState(null, "", "/network#anything");
    expect(takeEntrance()).toEqual({ by: "password", wrongKey: false });
    expect(location.pathname + location.hash).toBe("/network#anything");
    history.replaceState(null, "", "/runs?text=a#setup=secret");
    expect(takeEntrance()).toEqual({ by: "setup", token: "secret" });
    expect(location.pathname + location.search + location.hash).toBe("/runs?text=a");
  });
});
