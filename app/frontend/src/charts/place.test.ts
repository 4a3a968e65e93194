import { describe, expect, it } from "vitest";
import { round, run } from "../testing/fixtures";
import { placesOf } from "./place";

const rounds = [
  round(1, { started_at: 110, duration_s: 5 }),
  round(2, { started_at: 115, duration_s: 10 }),
  round(3, { started_at: 125, duration_s: null, complete: false }),
];

describe("placesOf", () => {
  it("puts rounds at their numbers, with room for those to come", () => {
    const places = placesOf("round", run({ num_rounds: 10 }), rounds);
    expect([places.min, places.max, places.xOf(2), places.roundOf(2), places.roundOf(2.5)]).toEqual([
      0,
      10,
      2,
      2,
      null,
    ]);
  });

  it("puts them where they ended since the run's start", () => {
    const places = placesOf("elapsed", run({ started_at: 100 }), rounds);
    expect([places.min, places.max]).toEqual([0, 25]);
    expect([1, 2, 3].map((each) => places.xOf(each))).toEqual([15, 25, null]);
    expect([places.roundOf(15), places.roundOf(16)]).toEqual([1, null]);
  });

  it("puts them at the time of the day", () => {
    const places = placesOf("clock", run({ started_at: 100 }), rounds);
    expect([places.min, places.max, places.xOf(1)]).toEqual([100, 125, 115]);
  });

  it("has an axis before the first round has ended", () => {
    const places = placesOf("elapsed", run({ started_at: null }), []);
    expect(places.max).toBeGreaterThan(places.min);
  });
});
