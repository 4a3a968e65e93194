import { describe, expect, it } from "vitest";
import { fitted, fromZero, niceScale, quantile } from "./scale";

describe("fitted", () => {
  it("makes 97.8 to 98.3 % readable, although the run began at 10 %", () => {
    const accuracies = [10, 62, 90, ...Array.from({ length: 30 }, (_, at) => 97.8 + at / 60)];
    expect(fitted(accuracies)).toEqual({ min: 97.8, max: 98.3, step: 0.1 });
  });

  it("shows all of a short run, and all of one that goes on rising", () => {
    expect(fitted([10, 62, 90, 97.8])).toMatchObject({ min: 0, max: 100 });
    expect(fitted(Array.from({ length: 20 }, (_, at) => at * 5))).toMatchObject({ min: 0, max: 100 });
  });

  it("leaves out no more than a tenth at either end, however flat the rest is", () => {
    const losses = Array.from({ length: 100 }, (_, at) => (at < 20 ? 2 - at / 10 : 0.06));
    expect(fitted(losses)?.max).toBeGreaterThanOrEqual(1);
  });

  it("has what it must have, and is nothing without a value", () => {
    expect(fitted([], [5])).toMatchObject({ min: 5 });
    expect(fitted(new Array<number>(30).fill(90), [10])?.min).toBeLessThanOrEqual(10);
    expect(fitted([])).toBeNull();
  });
});

describe("fromZero", () => {
  it("begins at zero, or below it where values are", () => {
    expect(fromZero([0.3, 2.2])).toEqual({ min: 0, max: 2.5, step: 0.5 });
    expect(fromZero([-4, 3])?.min).toBeLessThanOrEqual(-4);
    expect(fromZero([97], 100)).toMatchObject({ min: 0, max: 100 });
  });
});

describe("niceScale", () => {
  it.each([
    [0, 10, { min: 0, max: 10, step: 2 }],
    [0.061, 2.303, { min: 0, max: 2.5, step: 0.5 }],
    [5, 5, { min: 5, max: 5.1, step: 0.1 }],
    [0, 0, { min: 0, max: 0.2, step: 0.2 }],
  ])("of %d to %d", (low, high, scale) => expect(niceScale(low, high)).toEqual(scale));
});

describe("quantile", () => {
  it("lies between two values where it must", () => {
    expect([0, 0.25, 0.5, 1].map((share) => quantile([1, 2, 3, 4], share))).toEqual([1, 1.75, 2.5, 4]);
    expect(quantile([7], 0.75)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
  });
});
