import { describe, expect, it } from "vitest";
import type { ClientRound, Round } from "../api/types";
import { axisEnd, linesOf, spread, valuesAt } from "./series";

function result(accuracy: number | null): ClientRound {
  return { train_loss: 1, loss: 0.5, accuracy, samples: 10, train_s: 1, evaluate_s: null, error: null };
}

function round(number: number, accuracy: number | null, clients: Record<string, number | null>): Round {
  return {
    round: number, complete: accuracy !== null, train_loss: null, loss: 1, accuracy, client_loss: null,
    client_accuracy: null, clients: 2, started_at: 0, duration_s: 1,
    per_client: Object.fromEntries(Object.entries(clients).map(([id, value]) => [id, result(value)])),
  };
}

const rounds = [round(0, 0.1, {}), round(1, 0.5, { b: 0.4, a: 0.6 }), round(2, null, { a: 0.7, b: null })];

describe("linesOf", () => {
  it("draws one line per client in the order given and the global line last", () => {
    expect(linesOf(rounds, "accuracy", ["a", "b", "c"])).toEqual([
      { name: "a", global: false, points: [[1, 0.6], [2, 0.7]] },
      { name: "b", global: false, points: [[1, 0.4]] },
      { name: "global", global: true, points: [[0, 0.1], [1, 0.5]] },
    ]);
  });

  it("keeps an empty global line, so that the chart exists before round 0", () => {
    expect(linesOf([], "loss", [])).toEqual([{ name: "global", global: true, points: [] }]);
  });
});

describe("valuesAt", () => {
  it("lists the global value first, then the clients from best to worst", () => {
    const names = valuesAt(linesOf(rounds, "accuracy", ["b", "a"]), 1, "accuracy").map(({ line }) => line.name);
    expect(names).toEqual(["global", "a", "b"]);
  });

  it("leaves out who has no value at that round", () => {
    expect(valuesAt(linesOf(rounds, "accuracy", []), 2, "accuracy").map(({ value }) => value)).toEqual([0.7]);
  });
});

describe("spread", () => {
  it("leaves labels alone that have room", () => expect(spread([10, 60, 30], 16, 0, 100)).toEqual([10, 60, 30]));
  it("moves close labels apart in their order", () => expect(spread([50, 52, 48], 16, 0, 100)).toEqual([64, 80, 48]));
  it("keeps them above the lower edge", () => expect(spread([98, 99, 97], 16, 0, 100)).toEqual([84, 100, 68]));
});

describe("axisEnd", () => {
  it.each([
    [10, 3, 10],
    [50, 0, 50],
    [1000, 0, 20],
    [1000, 100, 200],
    [1000, 990, 1000],
    [10000, 41, 75],
  ])("of %d rounds at round %d is %d", (total, newest, end) => expect(axisEnd(total, newest)).toBe(end));
});
