import { describe, expect, it } from "vitest";
import type { Round, Run } from "../api/types";
import { cohortNote, joinCommand, noRunWords, roundsDone, situation, specWords, stopConsequence } from "./run-words";

function run(changes: Partial<Run>): Run {
  return {
    id: "7f3a9c01", state: "running", reason: null,
    spec: {
      dataset: "mnist", model: "cnn", num_rounds: 10, min_clients: 2, num_partitions: null, strategy: "fedavg",
      strategy_params: {}, local_epochs: 1, batch_size: 32, lr: 0.05, alpha: 0.5, seed: 0, fraction_train: 1,
      fraction_evaluate: 1,
    },
    round: 4, num_rounds: 10, progress: null, clients: [], created_at: 1, started_at: 2, finished_at: null, final: null,
    error: null,
    ...changes,
  };
}

function round(number: number, complete: boolean): Round {
  return {
    round: number, complete, train_loss: null, loss: null, accuracy: null, client_loss: null, client_accuracy: null,
    clients: 0, started_at: 0, duration_s: null, per_client: {},
  };
}

describe("situation", () => {
  it("names phase and replies of a running run", () => {
    const progress = { phase: "training", done: 2, total: 3, since: 5 } as const;
    expect(situation(run({ progress }))).toBe("training 2 of 3");
  });

  it("does not repeat the state that stands before it", () => {
    expect(situation(run({ state: "waiting", reason: "waiting for 1 more client (1 of 2)" }))).toBe("for 1 more client (1 of 2)");
  });

  it("says why a queued run does not run", () => {
    expect(situation(run({ state: "queued" }))).toBe("starts when the runs before it have ended");
  });

  it("gives the result of a completed run", () => {
    expect(situation(run({ state: "completed", final: { loss: 0.1, accuracy: 0.981 } }))).toBe("98.1 % accuracy");
  });
});

describe("stopConsequence", () => {
  it.each([
    [run({}), 3, "Round 4 is lost; rounds 1 to 3 and their curves stay."],
    [run({ round: 2 }), 1, "Round 2 is lost; round 1 and its curve stay."],
    [run({ round: 1 }), 0, "Round 1 is lost; no round is complete yet."],
    [run({ state: "waiting", round: 3 }), 3, "It waits between two rounds: rounds 1 to 3 and their curves stay."],
    [run({ state: "waiting", round: 0 }), 0, "No round has started. It ends without a result."],
    [run({ state: "queued", round: 0 }), 0, "It has not started. It leaves the queue and does not run."],
  ])("names what is lost and what stays (%#)", (subject, done, words) => expect(stopConsequence(subject, done)).toBe(words));
});

describe("a run's other words", () => {
  it("tell the split of the data", () => {
    expect(specWords(run({}).spec)).toBe("MNIST · CNN · FedAvg · α 0.5");
    expect(specWords({ ...run({}).spec, alpha: null })).toBe("MNIST · CNN · FedAvg · IID");
  });

  it("count only complete rounds as done", () => {
    expect(roundsDone(run({}), [round(0, true), round(1, true), round(2, false)])).toBe(1);
  });

  it("tell the next step without a run", () => {
    expect(noRunWords(true, 2)).toBe("2 clients ready: start a run with “New run”");
    expect(noRunWords(true, 0)).toContain("waits for them");
  });

  it("tell whether a new run would wait", () => {
    expect(cohortNote("digits", 1, 2)).toBe("1 connected client holds Digits: it will wait for 1 more");
    expect(cohortNote("digits", 3, 2)).toBe("3 connected clients hold Digits");
  });
});

describe("joinCommand", () => {
  const command = "python run_client.py --client-id client-1 --dataset digits --server 127.0.0.1:5051";

  it("names the data set of the run that waits", () => {
    expect(joinCommand(command, run({}))).toBe(command.replace("digits", "mnist"));
  });

  it("is the server's while no run is active, and nothing before the server is known", () => {
    expect(joinCommand(command, null)).toBe(command);
    expect(joinCommand(undefined, run({}))).toBeUndefined();
  });
});
