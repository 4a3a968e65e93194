import { describe, expect, it } from "vitest";
import { result } from "../testing/fixtures";
import { fewSamples, percentOf } from "./held-out";

describe("fewSamples", () => {
  it.each([
    [1, 1],
    [9, 9],
    [10, null],
    [null, null],
  ])("of a client that evaluates on %s", (held_out, few) =>
    expect(fewSamples(result({ held_out, samples: 5 }))).toBe(few),
  );
});

describe("percentOf", () => {
  it("says of how many, where these are few", () => {
    expect(percentOf(1, 1)).toBe("100.0 % of 1 sample");
    expect(percentOf(0.981, null)).toBe("98.1 %");
  });
});
