import { describe, expect, it } from "vitest";
import { result, round } from "../testing/fixtures";
import { amount, barsOf, grouped, totalOf } from "./parts";

const trained = (train_s: number, evaluate_s: number | null = null) => result({ train_s, evaluate_s });

describe("the times of a round", () => {
  it("are training, waiting for the slowest, evaluating, and the rest", () => {
    const per_client = { a: trained(2, 0.5), b: trained(2), c: trained(6, 1) };
    expect(barsOf("times", [round(1, { duration_s: 9, per_client })])).toEqual([
      { round: 1, values: [2, 4, 2, 1] },
    ]);
  });

  it("are told by the server where the parts of many clients are not kept", () => {
    const told = { count: 1000, min: 1, q1: 1, median: 2, q3: 3, max: 6 };
    const spread = { train_s: told, evaluate_s: { ...told, max: 1 } };
    expect(barsOf("times", [round(1, { duration_s: 9, spread })])).toEqual([
      { round: 1, values: [2, 4, 2, 1] },
    ]);
  });

  it("are never more than the round took, whatever a client's clock says", () => {
    const [bar] = barsOf("times", [round(1, { duration_s: 5, per_client: { a: trained(8, 2) } })]);
    expect(bar === undefined ? null : totalOf(bar)).toBeCloseTo(5);
  });

  it("are the server's alone where no client tells, and none of a round that goes on", () => {
    const rounds = [round(0, { duration_s: 2 }), round(1, { complete: false, duration_s: null })];
    expect(barsOf("times", rounds)).toEqual([{ round: 0, values: [0, 0, 2, 0] }]);
  });
});

describe("the bytes of a round", () => {
  it("are what the link has carried, where that was counted", () => {
    const link = { sent_bytes: 2000, received_bytes: 1000 };
    expect(barsOf("bytes", [round(1, link), round(2)])).toEqual([{ round: 1, values: [2000, 1000] }]);
  });
});

describe("grouped", () => {
  it("has the means of rounds beside each other", () => {
    const bars = Array.from({ length: 5 }, (_, at) => ({ round: at + 1, values: [at, 1] }));
    expect(grouped(bars, 5)).toBe(bars);
    expect(grouped(bars, 3)).toEqual([
      { round: 2, values: [0.5, 1] },
      { round: 4, values: [2.5, 1] },
      { round: 5, values: [4, 1] },
    ]);
  });
});

describe("amount", () => {
  it("is short", () =>
    expect([amount("times", 0.4), amount("times", 72), amount("bytes", 1_640_000)]).toEqual([
      "400 ms",
      "1:12",
      "1.6 MB",
    ]));
});
