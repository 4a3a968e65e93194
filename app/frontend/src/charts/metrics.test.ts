import { describe, expect, it } from "vitest";
import { result, round } from "../testing/fixtures";
import { appMetrics, hasValues, keyOf, type Metric, metricOf, titleOf } from "./metrics";

const rounds = [
  round(1, {
    metrics: { train: { "num-examples": 40, auc: 0.5 }, "train 2": { auc: 0.6 }, query: { mean: 4 } },
  }),
  round(2, { metrics: { evaluate: { auc: 0.7, "top/5": 0.9 }, server: { reward: -3 }, training: { x: 1 } } }),
];

describe("an app's numbers", () => {
  it("are those of any round, by stage: what the model is worth first, counts of examples last", () => {
    expect(appMetrics(rounds).map(titleOf)).toEqual([
      "reward · server",
      "auc · evaluate",
      "top/5 · evaluate",
      "auc · train",
      "auc · train 2",
      "mean · query",
      "x · training",
      "num-examples · train",
    ]);
    expect(appMetrics([round(1)])).toEqual([]);
  });

  it("have a key that leads back to them", () => {
    const all: Metric[] = [{ kind: "accuracy" }, { kind: "loss" }, ...appMetrics(rounds)];
    expect(all.map(keyOf).map(metricOf)).toEqual(all);
    expect(metricOf("nonsense")).toEqual({ kind: "number", stage: "", name: "nonsense" });
  });

  it("have values where a round has one", () => {
    expect(hasValues(rounds, metricOf("evaluate/auc"))).toBe(true);
    expect(hasValues(rounds, metricOf("evaluate/rmse"))).toBe(false);
    expect(hasValues(rounds, metricOf("accuracy"))).toBe(false);
    expect(hasValues([round(1, { train_loss: 1 })], metricOf("loss"))).toBe(true);
    expect(
      hasValues([round(1, { per_client: { a: result({ accuracy: 0.5 }) } })], metricOf("accuracy")),
    ).toBe(true);
  });
});
