import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import type { Run } from "../api/types";
import { useStore } from "../store/store";
import { client, privacy, round, run as anyRun, spec, status, waitingFor } from "../testing/fixtures";
import { answerLater, connected, happens, json, problem, serverAnswers, show, toldIn } from "../testing/page";
import { RunBar } from "./RunBar";

const run = (changes: Partial<Run> = {}): Run => anyRun({ id: "aa", ...changes });
const state = (): HTMLElement => screen.getByTestId("run-state");
const button = (name: string): HTMLElement => screen.getByRole("button", { name });

/** The bar with one run; returns the reader's hands. */
function withRun(changes: Partial<Run> = {}, rounds = [round(1), round(2), round(3)]) {
  const reader = show(<RunBar onNewRun={vi.fn()} />);
  connected({ runs: [run(changes)], rounds: { aa: rounds } });
  return reader;
}

let seq = 100;
const becomes = (changes: Partial<Run>): void => {
  seq += 1;
  happens({ seq, time: 200, type: "run_update", data: run(changes) });
};

describe("the sentence about the run", () => {
  it("tells the next step where there is no run", () => {
    show(<RunBar onNewRun={vi.fn()} />);
    expect(state()).toHaveTextContent("loading");
    connected({ clients: [client("client-1"), client("client-2")] });
    expect(state()).toHaveTextContent("no run yet");
    expect(screen.getByText("2 clients ready: start a run with “New run”")).toBeVisible();
  });

  it("tells what a private run asks for and has cost", () => {
    const dp = { noise_multiplier: 1, target_epsilon: null, clipping_norm: 1, delta: 1e-5 };
    withRun({ spec: spec({ dp }), privacy: privacy({ epsilon: 5.634, protects: "sample" }) });
    expect(screen.getByText(/α 0.5 · DP, noise 1/)).toBeVisible();
    expect(screen.getByTestId("run-privacy")).toHaveTextContent("ε 5.63 at δ 1.0e-5");
  });

  it("tells what a secure aggregation has clipped", () => {
    const settings = { threshold: 0.7, neighbours: 100, bits: 32, range: 4, max_samples: 100_000 };
    const metrics = { "secure-aggregation": { clipped: 0.034, capped: 0, samples: 300 } };
    withRun({ spec: spec({ secure_aggregation: settings }) }, [round(1, { metrics })]);
    expect(screen.getByText(/α 0.5 · secure aggregation/)).toBeVisible();
    expect(screen.getByTestId("run-clipped")).toHaveTextContent("3.4 % clipped");
  });

  it("names state, phase, round and settings of a run that is going on", () => {
    withRun({ progress: { phase: "training", done: 2, total: 3, since: 5 } });
    expect(state()).toHaveTextContent("runningtraining 2 of 3");
    expect(screen.getByTestId("round")).toHaveTextContent("4 of 10");
    expect(screen.getByText(/Digits · CNN · fedavg · α 0.5/)).toBeVisible();
  });

  it("says how much of its privacy is spent, and only of one that has any", () => {
    withRun({ privacy: privacy({ epsilon: 4.897 }) });
    expect(screen.getByTestId("run-privacy")).toHaveTextContent("ε 4.90 at δ 1.0e-5, per client");
    expect(screen.getByTestId("run-privacy")).toHaveAttribute(
      "title",
      expect.stringContaining("not for the server"),
    );
    becomes({ privacy: privacy({ epsilon: 7.1 }) });
    expect(screen.getByTestId("run-privacy")).toHaveTextContent("ε 7.10 at δ 1.0e-5, per client");
    becomes({ privacy: null });
    expect(screen.queryByTestId("run-privacy")).not.toBeInTheDocument();
  });

  it("says once what a run waits for, and its mark has the state's name", () => {
    withRun({
      state: "waiting",
      reason: "waiting for 1 more client (1 of 2)",
      waiting_for: waitingFor("clients"),
    });
    expect(state()).toHaveTextContent(/^waiting for 1 more client \(1 of 2\)$/);
    expect(within(state()).getByRole("img", { name: "waiting" })).toBeVisible();
    expect(screen.getByRole("status")).toHaveTextContent("Run aa: waiting for 1 more client (1 of 2)");
  });

  it("counts how late the clients are that a round waits for", () => {
    show(<RunBar onNewRun={vi.fn()} />);
    const replies = waitingFor("replies", { clients: ["client-3"], have: 2, need: 3 });
    connected({
      time: 140,
      runs: [run({ state: "waiting", waiting_for: replies, reason: "client-3 is late" })],
      clients: [client("client-3", { state: "late", late_since: 100 })],
    });
    expect(state()).toHaveTextContent("waiting for 1 more reply (2 of 3): client-3 is 40 s late");
  });

  it("shows the traceback of a run that failed on request", async () => {
    const reader = withRun({ state: "failed", reason: "An unexpected error", error: "Traceback: KeyError" });
    expect(state()).toHaveTextContent("failedAn unexpected error");
    expect(screen.queryByTestId("traceback")).not.toBeInTheDocument();
    await reader.click(button("Show traceback"));
    expect(screen.getByTestId("traceback")).toHaveTextContent("Traceback: KeyError");
    expect(button("Hide traceback")).toHaveAttribute("aria-expanded", "true");
  });
});

describe("a run of another app", () => {
  const app = spec({ app: "quickstart" });

  it("has FedLoom's number of a round, and beside it the app's own where that is another", () => {
    show(<RunBar onNewRun={vi.fn()} />);
    connected({
      runs: [run({ spec: app, round: 4, num_rounds: 6 })],
      rounds: { aa: [round(3), round(4, { complete: false, label: "1" })] },
    });
    expect(screen.getByTestId("round")).toHaveTextContent(/^4 of 6$/);
    expect(screen.getByTestId("round-label")).toHaveTextContent("(the app's 1)");
    becomes({ spec: app, round: 5, num_rounds: null });
    expect(screen.getByTestId("round")).toHaveTextContent(/^5$/);
    expect(screen.queryByTestId("round-label")).not.toBeInTheDocument();
  });

  it("that failed shows at once why, and what the app raised; it can be put away", async () => {
    const reader = withRun({
      state: "failed",
      cause: "app-failed",
      spec: app,
      reason: "the app quickstart raised KeyError: 'lr'",
      error: "Traceback: KeyError: 'lr'",
    });
    expect(state()).toHaveTextContent("failedthe app quickstart raised KeyError: 'lr'");
    expect(screen.getByTestId("traceback")).toHaveTextContent("Traceback: KeyError: 'lr'");
    await reader.click(button("Hide traceback"));
    expect(screen.queryByTestId("traceback")).not.toBeInTheDocument();
    await reader.click(button("Show traceback"));
    expect(screen.getByTestId("traceback")).toBeVisible();
  });
});

describe("a command", () => {
  it("says that it was taken until the server tells what came of it", async () => {
    const asked = serverAnswers({ "POST /api/v1/runs/aa/pause": () => json(run()) });
    const reader = withRun();
    await reader.click(button("Pause"));
    expect(button("Pausing…")).toHaveAttribute("aria-disabled", "true");
    await reader.click(button("Pausing…"));
    expect(toldIn(asked).map(({ what }) => what)).toEqual(["POST /api/v1/runs/aa/pause"]);
    becomes({ pending: "pausing" });
    expect(button("Pausing…")).toBeVisible();
    becomes({ state: "paused", reason: "paused by request" });
    expect(button("Resume")).toHaveAttribute("aria-disabled", "false");
    expect(button("Resume")).toHaveFocus();
  });

  it.each([
    ["pausing", "Pausing…"],
    ["stopping", "Stopping…"],
  ] as const)("that somebody else gave says so too (%s)", (pending, words) => {
    withRun({ pending });
    expect(button(words)).toHaveAttribute("aria-disabled", "true");
  });

  it("that the server refuses can be given again, and the bar says why", async () => {
    const detail = "Run aa cannot be paused: it is completed.";
    serverAnswers({ "POST /api/v1/runs/aa/pause": () => problem(409, detail) });
    const reader = withRun();
    await reader.click(button("Pause"));
    expect(await screen.findByRole("alert")).toHaveTextContent(detail);
    expect(button("Pause")).toHaveAttribute("aria-disabled", "false");
    await reader.click(button("Dismiss"));
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  it("that got no answer says that nothing was changed", async () => {
    serverAnswers({ "POST /api/v1/runs/aa/pause": () => Promise.reject(new TypeError("fetch failed")) });
    const reader = withRun();
    await reader.click(button("Pause"));
    expect(await screen.findByRole("alert")).toHaveTextContent(
      "The server did not answer, so nothing was changed.",
    );
  });

  it("to stop asks first, in words that name what is lost", async () => {
    const { answer, go } = answerLater(json(run()));
    const asked = serverAnswers({ "POST /api/v1/runs/aa/stop": answer });
    const reader = withRun();
    await reader.click(button("Stop"));
    expect(screen.getByTestId("stop-consequence")).toHaveTextContent(
      "Round 4 is lost; rounds 1 to 3, their curves and the kept checkpoints stay.",
    );
    expect(toldIn(asked)).toEqual([]);
    await reader.click(button("Stop run"));
    expect(screen.getByTestId("stop-confirm")).toHaveTextContent("Stopping…");
    go();
    await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
    expect(toldIn(asked).map(({ what }) => what)).toEqual(["POST /api/v1/runs/aa/stop"]);
    expect(screen.getByTestId("stop")).toHaveTextContent("Stopping…");
    becomes({ state: "stopped", reason: "stopped by request", round: 3 });
    expect(screen.queryByTestId("stop")).not.toBeInTheDocument();
    expect(state()).toHaveTextContent(/^stopped by request$/);
  });

  it("to try again is offered where a round lacks updates, and only there", async () => {
    const asked = serverAnswers({ "POST /api/v1/runs/aa/resume": () => json(run()) });
    const reader = withRun({ state: "waiting", reason: "any words", waiting_for: waitingFor("retry") });
    await reader.click(button("Try again"));
    expect(toldIn(asked).map(({ what }) => what)).toEqual(["POST /api/v1/runs/aa/resume"]);
    becomes({ state: "waiting", reason: "waiting to try again", waiting_for: waitingFor("clients") });
    expect(screen.queryByTestId("try-again")).not.toBeInTheDocument();
  });

  it("to start again makes a new run like an interrupted one that cannot go on", async () => {
    const foreign = spec({ app: "quickstart", run_config: { lr: 0.2 } });
    const asked = serverAnswers({ "POST /api/v1/runs": () => json(run({ id: "bb" }), 201) });
    const reader = withRun({ state: "interrupted", spec: foreign, can_resume: false });
    useStore.setState({ chosenRun: "aa" });
    expect(screen.queryByRole("button", { name: "Resume" })).not.toBeInTheDocument();
    await reader.click(button("Start again"));
    expect(toldIn(asked)[0]).toMatchObject({ what: "POST /api/v1/runs", body: foreign });
    expect(useStore.getState().chosenRun).toBeNull();
  });
});

describe("the button for a new run", () => {
  it("says that the run would queue while another is active", () => {
    withRun({ state: "paused" });
    expect(button("New run (queues)")).toHaveAttribute("title", expect.stringContaining("Run aa is paused"));
  });

  it("asks for one", async () => {
    const ask = vi.fn();
    const reader = show(<RunBar onNewRun={ask} />);
    connected({ status: status() });
    await reader.click(button("New run"));
    expect(ask).toHaveBeenCalledOnce();
  });
});

describe("another run than the active one", () => {
  it("is shown with a way back", async () => {
    const reader = show(<RunBar onNewRun={vi.fn()} />);
    connected({ runs: [run(), run({ id: "old", state: "completed", created_at: 1 })] });
    useStore.setState({ chosenRun: "old" });
    await reader.click(await screen.findByRole("button", { name: "Show run aa" }));
    expect(screen.getByTestId("run-id")).toHaveTextContent("aa");
  });
});
