import { describe, expect, it } from "vitest";
import { run } from "../testing/fixtures";
import { barOf, roundShown } from "./round-progress";

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
