import { describe, expect, it } from "vitest";
import { cursorWords, rowsAt, type RowsInput } from "./rows";
import type { Line } from "./series";

const line = (name: string, value: number, main = false): Line => ({ name, main, points: [[1, value]] });
const input = (changes: Partial<RowsInput>): RowsInput => ({
  ...{ metric: { kind: "accuracy" }, lines: [], late: new Map(), band: [] },
  ...{ colours: {}, theme: "light", median: null, muted: new Set() },
  ...changes,
});
const texts = (changes: Partial<RowsInput>): string[] =>
  rowsAt(1, input(changes)).map(({ name, text }) => `${name} ${text}`.trim());

describe("the rows at a round", () => {
  it("are those of all clients while there are few, with who was late", () => {
    const lines = [line("a", 0.5), line("b", 0.75), line("global", 0.6, true)];
    expect(texts({ lines, late: new Map([[1, ["c"]]]) })).toEqual([
      "global 60.0 %",
      "b 75.0 %",
      "a 50.0 %",
      "c late",
    ]);
  });

  it("are of sixty clients a handful, whatever is pinned", () => {
    const band = [{ round: 1, clients: 60, min: 0.1, q1: 0.4, median: 0.5, q3: 0.6, max: 0.9 }];
    const pinned = ["a", "b", "c"].map((name) => line(name, 0.5));
    const late = new Map([[1, ["x", "y"]]]);
    expect(texts({ lines: [...pinned, line("global", 0.55, true)], band, late })).toEqual([
      "global 55.0 %",
      "median of 60 50.0 %",
      "middle half 40.0 % to 60.0 %",
      "lowest, highest 10.0 % to 90.0 %",
      "a 50.0 %",
      "b 50.0 %",
      "c 50.0 %",
      "…and 57 more",
      "late 2 clients",
    ]);
  });

  it("say of how few samples a value is", () => {
    const lines = [{ ...line("a", 1), few: new Map([[1, 1]]) }];
    expect(texts({ lines })).toEqual(["a 100.0 % of 1 sample"]);
  });
});

describe("cursorWords", () => {
  it("say what stands under the cursor, or that nothing does", () => {
    const rows = rowsAt(1, input({ lines: [line("global", 0.6, true)] }));
    expect(cursorWords("round 1", rows)).toBe("round 1: global 60.0 %");
    expect(cursorWords("1:20 after the start", [])).toBe("1:20 after the start: no value");
  });
});
