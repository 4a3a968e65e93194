import { describe, expect, it } from "vitest";
import { round, run } from "../testing/fixtures";
import { notRemaining, remainingOf, remainingWords } from "./remaining";

const took = (...seconds: number[]) =>
  seconds.map((duration_s, index) => round(index + 1, { started_at: 100, duration_s }));

describe("remainingOf", () => {
  it("is not known before two rounds, without an end, and after it", () => {
    expect(remainingOf(run({ num_rounds: 10 }), took(4), 0)).toBeNull();
    expect(remainingOf(run({ num_rounds: null }), took(4, 4), 0)).toBeNull();
    expect(remainingOf(run({ num_rounds: 2 }), took(4, 4), 0)).toBeNull();
  });

  it("is certain of rounds that all took the same", () =>
    expect(remainingOf(run({ num_rounds: 5 }), took(4, 4), 0)).toEqual({ likely: 12, low: 12, high: 12 }));

  it("is the less certain the more rounds differ and are left", () => {
    const spanOf = (total: number, ...seconds: number[]): number => {
      const { low, high } = remainingOf(run({ num_rounds: total }), took(...seconds), 0) ?? {
        low: 0,
        high: 0,
      };
      return high - low;
    };
    expect(spanOf(10, 3, 5, 4)).toBeGreaterThan(0);
    expect(spanOf(10, 1, 7, 4)).toBeGreaterThan(spanOf(10, 3, 5, 4));
    expect(spanOf(40, 3, 5, 4)).toBeGreaterThan(spanOf(10, 3, 5, 4));
  });

  it("counts the round that goes on, but never more than it should take", () => {
    const rounds = [...took(4, 4), round(3, { started_at: 200, complete: false, duration_s: null })];
    const left = (now: number) => remainingOf(run({ num_rounds: 5 }), rounds, now)?.likely;
    expect([left(200), left(201), left(300)]).toEqual([12, 11, 8]);
  });

  it("does not count the evaluation of the initial model", () =>
    expect(
      remainingOf(run({ num_rounds: 3 }), [round(0, { duration_s: 90 }), ...took(4, 4)], 0)?.likely,
    ).toBe(4));
});

describe("the words", () => {
  it("have both ends where these are two", () => {
    expect(remainingWords({ likely: 41, low: 35, high: 55 })).toBe("about 0:41 left (0:35–0:55)");
    expect(remainingWords({ likely: 12.2, low: 12.1, high: 12.3 })).toBe("about 0:12 left");
  });

  it("say why there are none", () => {
    expect(notRemaining(run({ state: "paused" }))).toMatch(/paused/);
    expect(notRemaining(run({ state: "waiting" }))).toMatch(/waits/);
    expect(notRemaining(run({ state: "running" }))).toBeNull();
    expect(notRemaining(run({ state: "waiting", num_rounds: null }))).toBeNull();
  });
});
