import { describe, expect, it } from "vitest";
import { csvOf } from "./csv";
import type { Line } from "./series";

const lines: Line[] = [
  { name: "client-1", main: false, points: [[1, 0.5]] },
  {
    name: "global",
    main: true,
    points: [
      [0, 0.1],
      [1, 0.75],
    ],
  },
];
const all = (): boolean => true;

describe("csvOf", () => {
  it("has a row per round, the main line first", () =>
    expect(csvOf(lines, [], null, all)).toBe("round,global,client-1\r\n0,0.1,\r\n1,0.75,0.5\r\n"));

  it("has only the rounds in view, with their time where that is the axis", () => {
    const elapsed = { name: "elapsed_s", of: (round: number) => round * 10 };
    expect(csvOf(lines, [], elapsed, (round) => round > 0)).toBe(
      "round,elapsed_s,global,client-1\r\n1,10,0.75,0.5\r\n",
    );
  });

  it("names its first column as it is told, and has a row wherever a line has a point", () =>
    expect(csvOf([{ name: "a", main: false, points: [[2.5, 7]] }], [], null, all, "elapsed_s")).toBe(
      "elapsed_s,a\r\n2.5,7\r\n",
    ));

  it("has of many clients what they come to", () => {
    const band = [{ round: 1, clients: 60, min: 0.1, q1: 0.2, median: 0.3, q3: 0.4, max: 0.5 }];
    expect(csvOf([], band, null, all)).toBe(
      "round,clients,min,q1,median,q3,max\r\n1,60,0.1,0.2,0.3,0.4,0.5\r\n",
    );
  });

  it("quotes what a spreadsheet would take apart", () =>
    expect(csvOf([{ name: 'a,"b"', main: false, points: [[1, 2]] }], [], null, all)).toBe(
      'round,"a,""b"""\r\n1,2\r\n',
    ));
});
