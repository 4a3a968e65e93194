import { act, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Run } from "../api/types";
import { useStore } from "../store/store";
import { client, privacy, result, round, run as anyRun, spec, status, waitingFor } from "../testing/fixtures";
import { answerLater, connected, happens, json, problem, serverAnswers, show, toldIn } from "../testing/page";
import { RunBar } from "./RunBar";

const run = (changes: Partial<Run> = {}): Run => anyRun({ id: "aa", ...changes });
const state = (): HTMLElement => screen.getByTestId("run-state");
const button = (name: string): HTMLElement => screen.getByRole("button", { name });

/** The bar with one run; returns the reader's hands. */
function withRun(changes: Partial<Run> = {}, rounds = [round(1), round(2), round(3)]) {
  const reader = show(<RunBar />);
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
    show(<RunBar />);
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
    expect(state()).toHaveTextContent("runningRound 4: training 2 of 3");
    expect(screen.getByTestId("round")).toHaveTextContent("4 of 10");
    expect(screen.getByText(/Digits · CNN · fedavg · α 0.5/)).toBeVisible();
  });

  it("says how much of its privacy is spent, and only of one that has any", async () => {
    const reader = withRun({ privacy: privacy({ epsilon: 4.897 }) });
    expect(screen.getByTestId("run-privacy")).toHaveTextContent("ε 4.90 at δ 1.0e-5, per client");
    await reader.click(screen.getByTestId("settings-toggle"));
    expect(screen.getByTestId("settings")).toHaveTextContent("not for the server");
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
    show(<RunBar />);
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
    show(<RunBar />);
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
    history.replaceState(null, "", "/runs/aa/curves");
    expect(screen.queryByRole("button", { name: "Resume" })).not.toBeInTheDocument();
    await reader.click(button("Start again"));
    expect(toldIn(asked)[0]).toMatchObject({ what: "POST /api/v1/runs", body: foreign });
    expect(location.pathname).toBe("/");
  });
});

describe("a run that is over", () => {
  it.each(["stopped", "failed", "completed"] as const)("can be run again (%s)", async (over) => {
    const asked = serverAnswers({ "POST /api/v1/runs": () => json(run({ id: "bb" }), 201) });
    const settings = spec({ lr: 0.2, seed: 7 });
    const reader = withRun({ state: over, spec: settings });
    await reader.click(button("Run again"));
    expect(toldIn(asked)[0]).toMatchObject({ what: "POST /api/v1/runs", body: settings });
    for (const gone of ["Pause", "Resume", "Stop"]) {
      expect(screen.queryByRole("button", { name: gone })).not.toBeInTheDocument();
    }
  });
});

describe("an interrupted run that can go on", () => {
  it("says which button does that, also where the server gives a reason", () => {
    withRun({ state: "interrupted", can_resume: true, round: 4, reason: "the server was killed" });
    expect(state()).toHaveTextContent("the server was killed · Resume goes on in round 4");
    expect(button("Resume")).toBeVisible();
  });
});

describe("the button for a new run", () => {
  it("says that the run would queue while another is active", () => {
    withRun({ state: "paused" });
    expect(screen.getByRole("link", { name: "New run (queues)" })).toHaveAttribute(
      "title",
      expect.stringContaining("Run aa is paused"),
    );
  });

  it("leads to the form", async () => {
    const reader = show(<RunBar />);
    connected({ status: status() });
    await reader.click(screen.getByRole("link", { name: "New run" }));
    expect(location.pathname).toBe("/new");
  });
});

describe("the bar on every page", () => {
  it("has the accuracy while a run goes on, and leaves it to the outcome of one that is complete", () => {
    withRun({}, [round(1, { accuracy: 0.9 }), round(2, { accuracy: 0.981 })]);
    expect(screen.getByTestId("run-accuracy")).toHaveTextContent("accuracy 98.1 %");
    becomes({ state: "completed" });
    expect(screen.queryByTestId("run-accuracy")).not.toBeInTheDocument();
  });

  it("opens to all settings by the keyboard", async () => {
    const reader = withRun({ spec: spec({ lr: 0.25, local_epochs: 3 }) });
    expect(screen.queryByTestId("settings")).not.toBeInTheDocument();
    act(() => screen.getByRole("button", { name: "Settings" }).focus());
    await reader.keyboard("{Enter}");
    expect(screen.getByTestId("settings")).toHaveTextContent("learning rate 0.25, local epochs 3");
    expect(button("Hide settings")).toHaveAttribute("aria-expanded", "true");
    await reader.keyboard("{Enter}");
    expect(screen.queryByTestId("settings")).not.toBeInTheDocument();
  });
});

describe("a run that others have followed", () => {
  const old = run({ id: "old", state: "completed", created_at: 1, finished_at: 20, clients: ["a"] });

  it("says that it is past, and leads to the one that goes on, or else to the newest", () => {
    show(<RunBar />);
    act(() => useStore.setState({ chosenRun: "old" }));
    connected({ runs: [run({ state: "completed", clients: ["a"] }), old] });
    expect(screen.getByTestId("past-run")).toHaveTextContent("past run");
    expect(screen.getByText(/, ended/)).toBeVisible();
    expect(screen.getByRole("link", { name: "Show run aa" })).toBeVisible();
    becomes({ state: "running", clients: ["a"] });
    expect(screen.getByTestId("past-run")).toBeVisible();
    act(() => useStore.setState({ chosenRun: null }));
    expect(screen.queryByTestId("past-run")).not.toBeInTheDocument();
    expect(screen.queryByTestId("follow-active")).not.toBeInTheDocument();
  });

  it("asks nobody to start a client again that was lost in it", () => {
    const gone = client("client-2", { run: "aa", state: "lost" });
    show(<RunBar />);
    connected({ runs: [run({ state: "completed" })], clients: [gone] });
    expect(state()).toHaveAttribute("data-state", "completed");
    expect(screen.queryByTestId("start-lost")).not.toBeInTheDocument();
  });
});

describe("another run than the active one", () => {
  it("is shown with a way back", async () => {
    history.replaceState(null, "", "/runs/old/curves");
    const reader = show(<RunBar />);
    connected({ runs: [run(), run({ id: "old", state: "completed", created_at: 1 })] });
    useStore.setState({ chosenRun: "old" });
    await reader.click(await screen.findByRole("link", { name: "Show run aa" }));
    expect(location.pathname).toBe("/");
  });
});

describe("who holds up the round", () => {
  const progress = { phase: "training", done: 1, total: 2, since: 100 } as const;
  const delivered = client("client-1", { run: "aa" });
  const waits = {
    runs: [run({ round: 4, progress, clients: ["client-1", "client-2"] })],
    rounds: { aa: [round(3, { per_client: { "client-2": result({ train_s: 2 }) } })] },
    clients: [delivered, client("client-2", { run: "aa", state: "training" })],
  };

  it("is named, and the round goes on without them when somebody says so", async () => {
    const asked = serverAnswers({ "POST /api/v1/runs/aa/go-on": () => json(run()) });
    const reader = show(<RunBar />);
    connected({ ...waits, time: 114 });
    expect(state()).toHaveTextContent("Round 4: training 1 of 2, waiting for client-2 (14 s, usually 2 s)");
    await reader.click(button("Go on without them"));
    expect(toldIn(asked)).toEqual([
      { what: "POST /api/v1/runs/aa/go-on", body: { round: 4, phase: "training" } },
    ]);
    expect(button("Going on…")).toBeVisible();
    becomes({ round: 4, progress: { ...progress, phase: "evaluating", since: 115 } });
    expect(screen.queryByTestId("go-on")).not.toBeInTheDocument();
  });

  it("is kept, and the bar says why, where the round cannot do without", async () => {
    const refusal = "Round 4 cannot go on yet: its strategy, krum, needs 1 more reply.";
    serverAnswers({ "POST /api/v1/runs/aa/go-on": () => problem(409, refusal) });
    const reader = show(<RunBar />);
    connected({ ...waits, time: 114 });
    await reader.click(button("Go on without them"));
    expect(await screen.findByTestId("refusal")).toHaveTextContent(refusal);
  });

  it("is nobody while all are as quick as usually", () => {
    show(<RunBar />);
    connected({ ...waits, time: 102 });
    expect(state()).toHaveTextContent("Round 4: training 1 of 2");
    expect(screen.queryByTestId("go-on")).not.toBeInTheDocument();
  });

  it("is started again with a command, where it is lost", async () => {
    serverAnswers({ "GET /api/v1/status": () => json(status()) });
    const reader = show(<RunBar />);
    const lost = client("client-2", { run: "aa", state: "lost", host: "lab-2", dataset: "mnist" });
    connected({ ...waits, time: 102, clients: [delivered, lost] });
    expect(state()).toHaveTextContent("client-2 lost");
    await reader.click(button("Restart client-2…"));
    expect(await screen.findByTestId("restart-command")).toHaveTextContent(
      "python run_client.py --client-id client-2 --dataset mnist",
    );
    expect(screen.getByText("lab-2")).toBeVisible();
    becomes({ state: "waiting", waiting_for: waitingFor("clients", { have: 1, need: 2 }), reason: "waits" });
    expect(button("Restart client-2…")).toBeVisible();
  });
});
