import { act, cleanup, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { runChosen, useStore } from "../store/store";
import { audit, logEntry, round, run } from "../testing/fixtures";
import { connected, happens, json, serverAnswers, show } from "../testing/page";
import { EventFeed } from "./EventFeed";
import { useHere } from "./here";
import { useWhetherHere } from "./useWhetherHere";

function Live() {
  useWhetherHere();
  return <EventFeed filter="all" />;
}

/** A page that shows no events. */
function Elsewhere() {
  useWhetherHere();
  return null;
}

const COUNTS = { debug: 0, info: 9, warning: 0, error: 2_500, printed: 0, first: 1, last: 40 };
const counting = (since: number) => ({ [`GET /api/v1/logs/counts?since=${since}`]: () => json(COUNTS) });
const news = () => screen.queryByTestId("since-away");

let hidden: MockInstance<() => boolean>;

function turn(away: boolean): void {
  hidden.mockReturnValue(away);
  act(() => void document.dispatchEvent(new Event("visibilitychange")));
}

/** The server's clock says so. */
function clockAt(now: number): void {
  act(() => useStore.setState({ now }));
}

/** As after a reload: only what the browser keeps is still there. */
function reload(): void {
  cleanup();
  useStore.setState(useStore.getInitialState(), true);
  useHere.setState({ left: null });
}

beforeEach(() => {
  hidden = vi.spyOn(document, "hidden", "get");
  localStorage.clear();
  useHere.setState({ left: null });
});
afterEach(() => vi.restoreAllMocks());

describe("what happened since the reader was here", () => {
  it("is counted by the server, and goes on to be until it is dismissed", async () => {
    serverAnswers(counting(120));
    const reader = show(<Live />);
    connected({ runs: [run({ id: "aa" })], time: 120 });
    expect(news()).not.toBeInTheDocument();
    turn(true);
    clockAt(150);
    turn(false);
    await waitFor(() => expect(news()).toHaveTextContent(/Since you were here \(.*\): 2,500 errors/));
    const { seq, time, ...data } = logEntry(51, { level: "error" });
    happens({ seq, time, type: "log", data });
    expect(news()).toHaveTextContent("2,501 errors");
    await reader.click(screen.getByRole("button", { name: "Dismiss" }));
    expect(news()).not.toBeInTheDocument();
    reload();
    show(<Live />);
    connected({ runs: [run({ id: "aa" })], time: 155 });
    expect(news()).not.toBeInTheDocument();
  });

  it("is told after the browser was closed, by rounds too", () => {
    serverAnswers(counting(120));
    show(<Live />);
    connected({ runs: [run({ id: "aa" })], time: 120 });
    reload();
    const over = round(5, { started_at: 130, duration_s: 5 });
    show(<Live />);
    connected({ runs: [run({ id: "aa" })], rounds: { aa: [over] }, time: 9_000 });
    return waitFor(() => expect(news()).toHaveTextContent("round 5 is over; 2,500 errors"));
  });

  it("is told after the tab was hidden with another page in it, and a second absence hides nothing of the first", async () => {
    serverAnswers(counting(120));
    show(<Elsewhere />);
    connected({ time: 120 });
    turn(true);
    clockAt(200);
    turn(false);
    turn(true);
    clockAt(220);
    turn(false);
    cleanup();
    show(<Live />);
    await waitFor(() => expect(news()).toHaveTextContent("2,500 errors"));
  });

  it("is nothing after a reload, of another server, or on the page of a past run", async () => {
    serverAnswers(counting(120));
    show(<Live />);
    connected({ time: 118 });
    turn(true);
    reload();
    hidden.mockReturnValue(false);
    show(<Live />);
    connected({ time: 120 });
    expect(useHere.getState().left).toBeNull();
    reload();
    show(<Live />);
    connected({ time: 9_000, audit: audit({ log: "another" }) });
    expect(useHere.getState().left).toBeNull();
    reload();
    show(<Live />);
    const runs = [
      run({ id: "aa", clients: ["a"] }),
      run({ id: "old", state: "completed", created_at: 1, clients: ["a"] }),
    ];
    connected({ time: 9_000, runs });
    await waitFor(() => expect(news()).toBeInTheDocument());
    act(() => runChosen("old"));
    expect(news()).not.toBeInTheDocument();
  });

  it("begins while somebody looks, also if nobody hears of the end", () => {
    serverAnswers(counting(130));
    show(<Elsewhere />);
    connected({ time: 120 });
    clockAt(130);
    reload();
    show(<Live />);
    connected({ time: 300 });
    return waitFor(() => expect(useHere.getState().left).toBe(130));
  });
});
