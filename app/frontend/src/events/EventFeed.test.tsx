import { screen } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, it } from "vitest";
import { logEntry, run, spec } from "../testing/fixtures";
import { connected, happens, show } from "../testing/page";
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
    expect(screen.getByRole("button", { name: "hide traceback" })).toHaveAttribute("aria-expanded", "true");
  });
});
