import { describe, expect, it } from "vitest";
import { distance, mostly, wholeOf } from "./mix";

describe("the distance of a part from the whole", () => {
  it("is the share of its samples that would have to have another label", () => {
    const parts = [
      [10, 0],
      [0, 10],
      [5, 5],
    ];
    const whole = wholeOf(parts);
    expect(whole).toEqual([15, 15]);
    expect(parts.map((part) => distance(part, whole))).toEqual([0.5, 0.5, 0]);
  });

  it("counts labels that only others have", () => {
    const whole = wholeOf([[4], [0, 0, 4]]);
    expect(whole).toEqual([4, 0, 4]);
    expect(distance([4], whole)).toBe(0.5);
  });

  it("is not known of a part without samples", () => {
    expect(distance([0, 0], [3, 3])).toBeNull();
    expect(distance([], [])).toBeNull();
  });
});

describe("mostly", () => {
  it("names the two commonest labels, the commonest first", () => {
    expect(mostly([1, 2, 7], ["cat", "dog"])).toBe("90.0 % are 2 and dog");
    expect(mostly([0, 5, 0])).toBe("100.0 % are 1");
  });
});
