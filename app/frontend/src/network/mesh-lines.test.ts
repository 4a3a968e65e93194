import { describe, expect, it } from "vitest";
import { meshRound, round } from "../testing/fixtures";
import { accuracyLines, divergenceLines, lastRound, meshPoints } from "./mesh-lines";

describe("mesh rounds", () => {
  it("stand behind the round from which the client left the server, only where they have a value", () => {
    const rounds = [meshRound(2, { accuracy: 0.8 }), meshRound(1, { accuracy: 0.7 }), meshRound(3)];
    expect(meshPoints(rounds, "accuracy")).toEqual([
      [4, 0.7],
      [5, 0.8],
    ]);
  });

  it("that were gone twice are as they were the last time", () => {
    const rounds = [meshRound(1, { divergence: 0.5 }), meshRound(2, { divergence: 0.25, base_round: 2 })];
    expect(meshPoints(rounds, "divergence")).toEqual([[4, 25]]);
  });
});

describe("the curves", () => {
  const told = new Map([
    ["a", [meshRound(1, { accuracy: 0.5, divergence: 0.125 }), meshRound(2, { divergence: 0.03125 })]],
    ["b", [meshRound(1, { divergence: 0.25 })]],
    ["c", []],
  ]);

  it("of the accuracy are those of the clients beside the server's", () => {
    const rounds = [round(0, { accuracy: 0.1 }), round(1, { accuracy: 0.4 }), round(2)];
    expect(accuracyLines(told, rounds)).toEqual([
      { name: "a", main: false, points: [[4, 0.5]] },
      {
        name: "server",
        main: true,
        points: [
          [0, 0.1],
          [1, 0.4],
        ],
      },
    ]);
  });

  it("of the divergence are those of the clients, and the largest of all", () => {
    const lines = divergenceLines(told);
    expect(lines.at(-1)).toEqual({
      name: "largest",
      main: true,
      points: [
        [4, 25],
        [5, 3.125],
      ],
    });
    expect(lines.map(({ name }) => name)).toEqual(["a", "b", "largest"]);
    expect(lastRound(lines)).toBe(5);
    expect(lastRound(divergenceLines(new Map()))).toBe(0);
  });
});
