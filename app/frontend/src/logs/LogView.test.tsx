import { act, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { beforeEach, describe, expect, it } from "vitest";
import type { LogEntry } from "../api/types";
import { client, logEntry, round, run, runList } from "../testing/fixtures";
import { connected, json, serverAnswers, show } from "../testing/page";
import { LogView } from "./LogView";
import { linesReceived, tailBegan, useTail } from "./tail";

const COUNTS = { debug: 0, info: 2, warning: 1, error: 1, printed: 0, first: 1, last: 4 };
const LINES = [
  logEntry(1, { message: "the page is served" }),
  logEntry(2, { source: "client-1", level: "warning", message: "is slow" }),
  logEntry(3, { source: "client-1", level: "error", message: "it failed", traceback: "x\nValueError: NaN" }),
  logEntry(4, { message: "<img src=x onerror=alert(1)>\u001b[2J" }),
];

function logOf(lines: readonly LogEntry[], query = ""): Record<string, () => Response> {
  const [filter, kinds] = query.includes("kind=")
    ? ["", `${query}&`]
    : [query, query === "" ? "" : `${query}&`];
  return {
    [`GET /api/v1/logs/counts${filter === "" ? "" : `?${filter}`}`]: () => json(COUNTS),
    [`GET /api/v1/logs?${kinds}skip=0&limit=${lines.length}`]: () => json({ logs: lines }),
  };
}

const shown = (): (string | null)[] => screen.queryAllByTestId("log-line").map((row) => row.textContent);

function begin(): void {
  connected({ clients: [client("client-1")], runs: [run({ id: "aa" })] });
  act(tailBegan);
}

beforeEach(() => useTail.setState(useTail.getInitialState(), true));

describe("the log", () => {
  it("shows the server's lines and new ones as they come, and counts both", async () => {
    serverAnswers(logOf(LINES));
    show(<LogView />);
    begin();
    await screen.findByText("the page is served");
    expect(shown()[1]).toMatch(/warning.*client-1.*is slow/);
    expect(shown()[2]).toContain("it failed · ValueError: NaN");
    expect(screen.getByTestId("log-kind-error")).toHaveTextContent("error 1");
    act(() => linesReceived({ logs: [logEntry(5, { level: "error", message: "again" })], complete: true }));
    expect(shown()[4]).toContain("again");
    expect(screen.getByTestId("log-kind-error")).toHaveTextContent("error 2");
    expect(screen.getByTestId("log-total")).toHaveTextContent("5 lines");
  });

  it("shows what is written in it as text", async () => {
    serverAnswers(logOf(LINES));
    show(<LogView />);
    begin();
    expect(await screen.findByText("<img src=x onerror=alert(1)>")).toBeVisible();
    expect(document.querySelector("img")).toBeNull();
  });

  it("has the choice of levels in the address, and asks the server for those", async () => {
    const asked = serverAnswers({
      ...logOf(LINES),
      ...logOf(LINES.slice(1, 3), "kind=warning&kind=error"),
      ...logOf(LINES.slice(2, 3), "kind=error"),
    });
    const reader = show(<LogView />);
    begin();
    await screen.findByText("the page is served");
    await reader.click(screen.getByTestId("log-kind-error"));
    expect(location.search).toBe("?level=error");
    await screen.findByText("1 line");
    expect(await screen.findByText(/it failed/)).toBeVisible();
    expect(shown()).toHaveLength(1);
    expect(asked.some(({ what }) => what === "GET /api/v1/logs?kind=error&skip=0&limit=1")).toBe(true);
    expect(screen.getByTestId("log-download-jsonl")).toHaveAttribute(
      "href",
      "/api/v1/logs/file?kind=error&format=jsonl",
    );
  });

  it("searches at the server while one types", async () => {
    serverAnswers({ ...logOf(LINES), ...logOf(LINES, "q=slow") });
    const reader = show(<LogView />);
    begin();
    await screen.findByText("the page is served");
    await reader.type(screen.getByTestId("log-text"), "slow");
    await screen.findByText("is slow");
    await waitFor(() => expect(location.search).toBe("?q=slow"));
  });

  it("opens a line, and tells where it comes from", async () => {
    serverAnswers(logOf(LINES));
    const reader = show(<LogView />);
    begin();
    await reader.click(await screen.findByRole("button", { name: /it failed/ }));
    const whole = within(screen.getByTestId("log-whole"));
    expect(whole.getByLabelText("message")).toHaveTextContent("it failed");
    expect(whole.getByTestId("traceback")).toHaveTextContent("ValueError: NaN");
    expect(whole.getByRole("button", { name: "copy" })).toBeVisible();
  });

  it("marks the line that the address names, and does not follow then", async () => {
    history.replaceState(null, "", "/logs?at=3");
    serverAnswers({
      ...logOf(LINES),
      "GET /api/v1/logs/place?seq=3": () => json({ index: 2, entry: LINES[2] }),
    });
    show(<LogView />);
    begin();
    await screen.findByText("the page is served");
    expect(screen.getAllByTestId("log-line")[2]).toHaveAttribute("aria-current", "true");
    expect(screen.getByTestId("log-follow")).toHaveTextContent("Follow");
    act(() => linesReceived({ logs: [logEntry(5)], complete: true }));
    expect(screen.getByTestId("log-total")).toHaveTextContent("5 lines, 1 new since you left the end");
  });

  it("goes to a round, and says what it does not understand", async () => {
    serverAnswers({
      ...logOf(LINES),
      "GET /api/v1/logs/place?time=103": () => json({ index: 2, entry: LINES[2] }),
      "GET /api/v1/logs/place?seq=3": () => json({ index: 2, entry: LINES[2] }),
      "GET /api/v1/runs/aa/rounds?after=2&limit=1&points=10000&clients=": () =>
        json({ rounds: [round(3)], more: false }),
    });
    const reader = show(<LogView />);
    begin();
    const box = screen.getByTestId("log-jump");
    await reader.type(box, "soon{Enter}");
    expect(screen.getByRole("alert")).toHaveTextContent("Give a time such as 12:41, or a round");
    await reader.clear(box);
    await reader.type(box, "round 3{Enter}");
    await waitFor(() => expect(location.search).toBe("?at=3"));
  });

  it("offers every run of the server, also those that the page does not hold", async () => {
    const oldest = run({ id: "51st", name: "the first of all", state: "completed", created_at: 1 });
    const asked = serverAnswers({
      ...logOf(LINES),
      ...logOf(LINES, "run=51st"),
      "GET /api/v1/runs?q=first&limit=50": () => json(runList([oldest])),
      "GET /api/v1/runs?q=firstborn&limit=50": () => json(runList([])),
    });
    const reader = show(<LogView />);
    begin();
    const box = screen.getByTestId("log-run");
    await reader.click(box);
    expect(await screen.findByRole("option", { name: "aa" })).toBeInTheDocument();
    expect(asked.filter(({ what }) => what.startsWith("GET /api/v1/runs"))).toEqual([]);
    await reader.type(box, "firstborn");
    expect(await screen.findByText("no run is like this")).toBeInTheDocument();
    await reader.clear(box);
    await reader.type(box, "first");
    await reader.click(await screen.findByRole("option", { name: "51st the first of all" }));
    expect(location.search).toBe("?run=51st");
    expect(box).toHaveValue("51st");
  });

  it("is that of one client where the page is about that one", async () => {
    serverAnswers(logOf(LINES, "source=client-1"));
    show(<LogView client="client-1" />);
    begin();
    await screen.findByText("is slow");
    expect(screen.queryByTestId("log-client")).not.toBeInTheDocument();
  });

  it("says why there is nothing", async () => {
    serverAnswers({
      "GET /api/v1/logs/counts?source=client-9": () =>
        json({ ...COUNTS, info: 0, warning: 0, error: 0, first: 0, last: 0 }),
    });
    show(<LogView client="client-9" />);
    begin();
    expect(await screen.findByTestId("log-empty")).toHaveTextContent("client-9 has told nothing of its log");
  });

  it("has nothing that axe finds wrong", async () => {
    serverAnswers(logOf(LINES));
    const reader = show(<LogView />);
    begin();
    await reader.click(await screen.findByRole("button", { name: /it failed/ }));
    const rules = { "color-contrast": { enabled: false }, region: { enabled: false } };
    const { violations } = await axe.run(document.body, { rules });
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  });
});
