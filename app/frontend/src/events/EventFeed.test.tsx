import { act, screen } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, it } from "vitest";
import { runChosen } from "../store/store";
import { logEntry, round, run, spec } from "../testing/fixtures";
import { connected, happens, json, serverAnswers, show } from "../testing/page";
import { EventFeed, EventFilters } from "./EventFeed";
import type { EventFilter } from "./filters";

function Feed() {
  const [filter, setFilter] = useState<EventFilter>("all");
  return (
    <>
      <EventFilters filter={filter} change={setFilter} />
      <EventFeed filter={filter} />
    </>
  );
}

const shown = (): (string | null)[] => screen.queryAllByTestId("log-row").map((row) => row.textContent);

describe("the event feed", () => {
  it("tells that nothing has happened yet", () => {
    show(<Feed />);
    connected();
    expect(screen.getByText("nothing has happened yet")).toBeVisible();
  });

  it("adds what happens", () => {
    show(<Feed />);
    connected({ logs: [logEntry(9, { message: "client-1 joined" })] });
    const { seq, time, ...data } = logEntry(11, { message: "round 1 aggregated" });
    happens({ seq, time, type: "log", data });
    expect(shown().join()).toMatch(/client-1 joined.*round 1 aggregated/);
  });

  it("shows one level alone, and how many there are of each", async () => {
    const reader = show(<Feed />);
    connected({
      logs: [logEntry(1), logEntry(2, { level: "error", message: "the disk is full" }), logEntry(3)],
    });
    await reader.click(screen.getByRole("button", { name: "error 1" }));
    expect(shown()).toHaveLength(1);
    expect(shown()[0]).toContain("the disk is full");
    await reader.click(screen.getByRole("button", { name: "warning 0" }));
    expect(screen.getByText("no warning so far")).toBeVisible();
    await reader.click(screen.getByRole("button", { name: "all 3" }));
    expect(shown()).toHaveLength(3);
  });

  it("counts all that happened in the run, not only what the page holds", async () => {
    const counts = { debug: 0, info: 5000, warning: 7, error: 2, printed: 0, last: 9 };
    serverAnswers({ "GET /api/v1/runs/aa/logs?limit=1": () => json({ logs: [], counts }) });
    show(<Feed />);
    connected({ runs: [run({ id: "aa" })], logs: [logEntry(8), logEntry(9)] });
    expect(await screen.findByRole("button", { name: "all 5,009" })).toBeVisible();
    const { seq, time, ...data } = logEntry(11, { level: "error" });
    happens({ seq, time, type: "log", data });
    expect(screen.getByRole("button", { name: "error 3" })).toBeVisible();
    expect(screen.getByTestId("events-left")).toHaveTextContent("the newest 3 of 5,010");
  });

  it("says nothing of lines that the server has counted and the socket is about to bring", async () => {
    const counts = { debug: 0, info: 3, warning: 0, error: 0, printed: 0, last: 10 };
    serverAnswers({ "GET /api/v1/runs/aa/logs?limit=1": () => json({ logs: [], counts }) });
    show(<Feed />);
    connected({ runs: [run({ id: "aa" })], logs: [logEntry(8), logEntry(9)] });
    expect(await screen.findByRole("button", { name: "all 3" })).toBeVisible();
    expect(screen.queryByTestId("events-left")).not.toBeInTheDocument();
  });

  it("is of the run that is shown", async () => {
    const told = logEntry(3, { run_id: "old", message: "round 9 of the old run" });
    const counts = { debug: 0, info: 1, warning: 0, error: 0, printed: 0, last: 3 };
    serverAnswers({ "GET /api/v1/runs/old/logs?limit=2000": () => json({ logs: [told], counts }) });
    show(<Feed />);
    connected({
      runs: [
        run({ id: "old", state: "completed", created_at: 1 }),
        run({ id: "new", clients: ["client-1"] }),
      ],
      logs: [
        told,
        logEntry(5, { message: "client-1 joined" }),
        logEntry(6, { run_id: "new", message: "round 1 of the new run" }),
      ],
    });
    expect(shown().join()).toMatch(/client-1 joined.*round 1 of the new run/);
    expect(shown().join()).not.toContain("old run");
    act(() => runChosen("old"));
    expect(await screen.findByText("round 9 of the old run")).toBeVisible();
    expect(shown()).toHaveLength(1);
  });

  it("tells what a Flower app prints from what happens, and shows it alone", async () => {
    const reader = show(<Feed />);
    connected({
      logs: [
        logEntry(1, { message: "round 1 aggregated" }),
        logEntry(2, { logger: "app", message: "epoch 1  0.25", source: "client-2" }),
        logEntry(3, { logger: "app", message: "UserWarning: slow" }),
        logEntry(4, { logger: "flwr", message: "Sampled 2 nodes" }),
      ],
    });
    expect(shown()[1]).toMatch(/printed by the ClientApp of client-2.*client-2.*epoch 1 {2}0\.25/);
    expect(shown()[2]).toMatch(/printed by the ServerApp.*UserWarning/);
    await reader.click(screen.getByRole("button", { name: "app 2" }));
    expect(shown()).toHaveLength(2);
    await reader.click(screen.getByRole("button", { name: "info 2" }));
    expect(shown().join()).toContain("round 1 aggregated");
  });

  it("speaks of no app where there is none, and says that one has printed nothing", async () => {
    const reader = show(<Feed />);
    connected({ logs: [logEntry(1)] });
    expect(screen.queryByRole("button", { name: /^app/ })).not.toBeInTheDocument();
    connected({ logs: [logEntry(1)], runs: [run({ spec: spec({ app: "quickstart" }) })] });
    await reader.click(screen.getByRole("button", { name: "app 0" }));
    expect(screen.getByText("the app has printed nothing so far")).toBeVisible();
  });

  it("folds what was told of a round that is over into its sentence", async () => {
    const reader = show(<Feed />);
    connected({
      runs: [run({ id: "aa" })],
      rounds: { aa: [round(1, { started_at: 100, duration_s: 5, clients: 2, accuracy: 0.976 })] },
      logs: [logEntry(1), logEntry(2), logEntry(3, { level: "warning" }), logEntry(20)],
    });
    expect(screen.getByTestId("round-row")).toHaveTextContent(
      "round 1 aggregated from 2 of 2 clients: 97.6 %",
    );
    expect(shown().join()).toMatch(/message 3.*message 20/);
    expect(shown()).toHaveLength(2);
    await reader.click(screen.getByRole("button", { name: "2 lines" }));
    expect(shown()).toHaveLength(4);
    await reader.click(screen.getByRole("button", { name: "hide" }));
    expect(shown()).toHaveLength(2);
  });

  it("names a level and the client that an event comes from", () => {
    show(<Feed />);
    connected({ logs: [logEntry(1, { level: "warning", source: "client-2", message: "is slow" })] });
    expect(shown()[0]).toMatch(/warning.*client-2.*is slow/);
  });

  it("opens a traceback on request", async () => {
    const reader = show(<Feed />);
    connected({ logs: [logEntry(1, { level: "error", traceback: "Traceback: ValueError" })] });
    expect(screen.queryByTestId("traceback")).not.toBeInTheDocument();
    await reader.click(screen.getByRole("button", { name: "show traceback" }));
    expect(screen.getByTestId("traceback")).toHaveTextContent("Traceback: ValueError");
    expect(screen.getByTestId("copy-report")).toBeVisible();
    expect(screen.getByRole("button", { name: "hide traceback" })).toHaveAttribute("aria-expanded", "true");
  });
});
