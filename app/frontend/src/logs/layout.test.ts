import { describe, expect, it } from "vitest";
import { heightOf, indexAt, ROW, topOf } from "./layout";

const OPENED = new Map([
  [10, 100],
  [3, 50],
]);

describe("rows of one height, some of which are open", () => {
  it("stand below what is open above them", () => {
    expect(topOf(3, OPENED)).toBe(3 * ROW);
    expect(topOf(4, OPENED)).toBe(4 * ROW + 50);
    expect(topOf(100_000, OPENED)).toBe(100_000 * ROW + 150);
    expect(heightOf(5, OPENED)).toBe(5 * ROW + 50);
  });

  it("are found by where they stand", () => {
    for (const index of [0, 2, 3, 4, 10, 11, 500]) {
      expect(indexAt(topOf(index, OPENED), 1000, OPENED)).toBe(index);
      expect(indexAt(topOf(index + 1, OPENED) - 1, 1000, OPENED)).toBe(index);
    }
    expect(indexAt(-5, 1000, OPENED)).toBe(0);
    expect(indexAt(1e9, 1000, OPENED)).toBe(999);
    expect(indexAt(50, 0, new Map())).toBe(0);
  });
});
