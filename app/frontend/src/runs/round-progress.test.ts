import { describe, expect, it } from "vitest";
import { round, run } from "../testing/fixtures";
import { barOf, roundShown, scoreOf } from "./round-progress";

const training = { phase: "training", done: 2, total: 4, since: 1 } as const;

describe("barOf", () => {
  it("fills a segment per round, the current one by its replies", () => {
    expect(barOf(run({ num_rounds: 4, round: 2, progress: training }), 1)).toEqual({
      segments: [1, 0.25, 0, 0],
      label: "progress of the run",
      value: 1,
      max: 4,
    });
  });

  it("keeps its place while the run is paused, and leaves a round that was cut", () => {
    expect(barOf(run({ num_rounds: 2, state: "paused", progress: training }), 1).segments).toEqual([1, 0.25]);
    expect(barOf(run({ num_rounds: 2, state: "interrupted", progress: training }), 1).segments).toEqual([
      1, 0,
    ]);
  });

  it("is one piece for a long run", () =>
    expect(barOf(run({ num_rounds: 200 }), 50).segments).toEqual([0.25]));

  it("is never more than full", () =>
    expect(barOf(run({ num_rounds: 1, progress: training }), 1).segments).toEqual([1]));

  it("shows the current round where nobody knows the last", () => {
    const querying = { phase: "querying", done: 1, total: 4, since: 1 } as const;
    expect(barOf(run({ num_rounds: null, progress: querying }), 3)).toEqual({
      segments: [0.25],
      label: "progress of the round",
      value: 1,
      max: 4,
    });
  });
});

describe("roundShown", () => {
  it("is never behind the rounds that are done", () => expect(roundShown(run({ round: 2 }), 3)).toBe(3));
});

describe("scoreOf", () => {
  const own = round(1, { client_accuracy: 0.6 });

  it("is the newest accuracy of a round that is over, of the clients where the server has none", () => {
    expect(scoreOf([])).toBeNull();
    expect(scoreOf([round(1), round(2, { complete: false, accuracy: 0.9 })])).toBeNull();
    expect(scoreOf([own])).toEqual({ accuracy: 0.6, ofClients: true });
    expect(scoreOf([own, round(2, { accuracy: 0.7, client_accuracy: 0.8 }), round(3)])).toEqual({
      accuracy: 0.7,
      ofClients: false,
    });
  });
});
