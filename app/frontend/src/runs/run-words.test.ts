import { describe, expect, it } from "vitest";
import type { Run } from "../api/types";
import { client, round, run as anyRun, spec, waitingFor } from "../testing/fixtures";
import {
  canTryAgain,
  noRunWords,
  roundsDone,
  roundsWords,
  situation,
  stateWord,
  stopConsequence,
} from "./run-words";

const mnist = spec({ dataset: "mnist" });
const app = spec({ app: "quickstart-numpy", run_config: { lr: 0.1, "use-gpu": false } });
const run = (changes: Partial<Run>): Run => anyRun({ spec: mnist, ...changes });

describe("situation", () => {
  it("names phase and replies of a running run, and what it was told", () => {
    const progress = { phase: "training", done: 2, total: 3, since: 5 } as const;
    expect(situation(run({ progress }))).toBe("Round 4: training 2 of 3");
    expect(situation(run({ progress, pending: "pausing" }))).toBe("Round 4: training 2 of 3 · pausing");
  });

  it("counts how late a client is, and leaves the rest to the server's words", () => {
    const waiting_for = waitingFor("replies", {
      clients: ["client-2", "client-3"],
      lost: ["client-2"],
      have: 0,
      need: 2,
    });
    const waiting = run({ state: "waiting", waiting_for, reason: "the server's own sentence" });
    const clients = [client("client-2"), client("client-3", { state: "late", late_since: 100 })];
    expect(situation(waiting, { clients, now: 140.5 })).toBe(
      "waiting for 2 more replies (0 of 2): client-2 is lost; client-3 is 40 s late",
    );
    expect(situation(waiting, { now: 140 })).toContain("client-3 is late");
    const others = run({
      state: "waiting",
      waiting_for: waitingFor("clients"),
      reason: "the server's own sentence",
    });
    expect(situation(others, { clients, now: 140 })).toBe("the server's own sentence");
  });

  it("names the phase of an app that asks its clients without training", () => {
    expect(situation(run({ progress: { phase: "querying", done: 0, total: 5, since: 5 } }))).toBe(
      "Round 4: querying 0 of 5",
    );
  });

  it("says where a paused run stands", () => {
    const progress = { phase: "training", done: 1, total: 3, since: 5 } as const;
    expect(situation(run({ state: "paused", progress, reason: "paused by request" }))).toBe(
      "paused by request · Round 4: training 1 of 3",
    );
    expect(situation(run({ state: "paused", progress }))).toBe(
      "Round 4: training 1 of 3 · nothing is sent until it is resumed",
    );
  });

  it.each<[Partial<Run>, string]>([
    [{ state: "queued" }, "starts when the runs before it have ended"],
    [{ state: "interrupted", can_resume: true, round: 4 }, "Resume goes on in round 4"],
    [
      { state: "interrupted", can_resume: false },
      "only the app knows its state; Start again begins a new run with the same settings",
    ],
  ])("is never silent about a run that stands still (%#)", (changes, words) =>
    expect(situation(run(changes))).toBe(words),
  );

  it("says beside the reason why an interrupted run cannot go on", () => {
    const words = situation(
      run({ state: "interrupted", spec: app, reason: "the server ended while it was going on" }),
    );
    expect(words).toBe(
      "the server ended while it was going on · only the app knows its state; Start again begins a new run with the same settings",
    );
  });

  it("gives the result of a completed run", () => {
    expect(situation(run({ state: "completed", final: { loss: 0.1, accuracy: 0.981 } }))).toBe(
      "98.1 % accuracy",
    );
    expect(situation(run({ state: "completed", spec: app }), { mean: 0.75 })).toBe(
      "75.0 % accuracy, mean of the clients",
    );
    expect(situation(run({ state: "completed", spec: app }))).toBe("");
  });
});

describe("stopConsequence", () => {
  it.each([
    [run({}), 3, "Round 4 is lost; rounds 1 to 3, their curves and the kept checkpoints stay."],
    [run({ round: 2 }), 1, "Round 2 is lost; round 1, its curve and its checkpoint stay."],
    [run({ round: 1 }), 0, "Round 1 is lost; no round is complete yet."],
    [run({ state: "paused", spec: app }), 3, "Round 4 is lost; rounds 1 to 3 and their curves stay."],
    [
      run({ state: "waiting", round: 3 }),
      3,
      "It waits between two rounds: rounds 1 to 3, their curves and the kept checkpoints stay.",
    ],
    [run({ state: "waiting", round: 0 }), 0, "No round has started. It ends without a result."],
    [run({ state: "queued", round: 0 }), 0, "It has not started. It leaves the queue and does not run."],
    [
      run({ state: "interrupted", spec: app, round: 2 }),
      1,
      "It will not go on any more; round 1 and its curve stay.",
    ],
    [
      run({ state: "interrupted", can_resume: true }),
      3,
      "It will not go on any more; rounds 1 to 3, their curves and the kept checkpoints stay.",
    ],
  ])("names what is lost and what stays (%#)", (subject, done, words) =>
    expect(stopConsequence(subject, done)).toBe(words),
  );
});

describe("the word for the state", () => {
  it.each<[Partial<Run>, string | null]>([
    [{ state: "waiting", reason: "waiting for 1 more client (1 of 2)" }, null],
    [{ state: "waiting", reason: "loading the data set digits" }, null],
    [{ state: "paused", reason: "paused by request" }, null],
    [{ state: "stopped", reason: "stopped by request" }, null],
    [{ state: "paused", reason: null }, "paused"],
    [{ state: "interrupted", reason: "the server ended while it was going on" }, "interrupted"],
    [{ state: "queued", reason: "waiting for the run before it to end" }, "queued"],
    [{ state: "running", reason: null }, "running"],
  ])("is left to the reason where that says it (%#)", (changes, word) => {
    expect(stateWord(run(changes))).toBe(word);
  });
});

describe("canTryAgain", () => {
  it("is so while a round lacks updates, not while clients are awaited", () => {
    expect(canTryAgain(run({ state: "waiting", waiting_for: waitingFor("retry") }))).toBe(true);
    expect(canTryAgain(run({ state: "waiting", waiting_for: waitingFor("clients") }))).toBe(false);
    expect(canTryAgain(run({ state: "running" }))).toBe(false);
  });
});

describe("what came of a run", () => {
  const completed = (final: Run["final"], mean: number | null = null) =>
    situation(run({ state: "completed", final, progress: null, reason: null }), { mean });

  it("is the accuracy of its model, else the clients' mean, else its loss", () => {
    expect(completed({ accuracy: 0.9, loss: 0.2 }, 0.8)).toBe("90.0 % accuracy");
    expect(completed({ accuracy: null, loss: 0.2 }, 0.8)).toBe("80.0 % accuracy, mean of the clients");
    expect(completed({ accuracy: null, loss: 0.2 })).toBe("loss 0.200");
    expect(completed(null)).toBe("");
  });
});

describe("a run's other words", () => {
  it("count only complete rounds as done", () => {
    expect(roundsDone(run({}), [round(0), round(1), round(2, { complete: false })])).toBe(1);
  });

  it("tell rounds with and without an end", () => {
    expect(roundsWords({ round: 4, num_rounds: 10 })).toBe("4 of 10");
    expect(roundsWords({ round: 4, num_rounds: null })).toBe("4");
  });

  it("tell the next step without a run", () => {
    expect(noRunWords(true, 2)).toBe("2 clients ready: start a run with “New run”");
    expect(noRunWords(true, 0)).toContain("waits for them");
  });
});
