import { describe, expect, it } from "vitest";
import { smoothed } from "./smoothing";

describe("smoothed", () => {
  it("begins at the first value, not at zero", () =>
    expect(smoothed([[3, 10]], 0.9)[0]?.[1]).toBeCloseTo(10));

  it("weighs what was before, without what never was", () => {
    // (0.5 · 0.5 · 1 + 0.5 · 3) / (1 - 0.25)
    expect(
      smoothed(
        [
          [0, 1],
          [1, 3],
        ],
        0.5,
      )[1]?.[1],
    ).toBeCloseTo(1.75 / 0.75);
  });

  it("leaves a constant alone, and everything with weight 0", () => {
    const flat = smoothed(
      [0, 1, 2, 3].map((round) => [round, 7]),
      0.8,
    );
    expect(flat.map(([, value]) => Math.round(value * 1e9) / 1e9)).toEqual([7, 7, 7, 7]);
    expect(
      smoothed(
        [
          [0, 1],
          [1, 5],
        ],
        0,
      ),
    ).toEqual([
      [0, 1],
      [1, 5],
    ]);
  });
});
