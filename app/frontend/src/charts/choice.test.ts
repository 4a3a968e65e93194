import { describe, expect, it } from "vitest";
import type { Round } from "../api/types";
import { round } from "../testing/fixtures";
import { type Chosen, offeredMetrics, shownMetrics, shownOfBuiltIn } from "./choice";
import { keyOf, titleOf } from "./metrics";

function shown(rounds: readonly Round[], chosen: Chosen = {}, settled = true): string[] {
  const { accuracy, loss } = shownMetrics(rounds, offeredMetrics(rounds), chosen, settled);
  return [keyOf(accuracy), keyOf(loss)];
}

/** Each with values that move, so that no two curves are the same. */
const evaluates = [1, 2].map((at) => round(at, { client_accuracy: at / 10, client_loss: 1 / at }));
const withNumbers = [1, 2].map((at) =>
  round(at, { metrics: { evaluate: { auc: at, rmse: -at }, train: { steps: at * at } } }),
);

describe("the charts of another app", () => {
  it("begin with accuracy and loss, whatever else there is", () => {
    expect(shown([])).toEqual(["accuracy", "loss"]);
    expect(
      shown(evaluates.map((each, at) => ({ ...each, metrics: withNumbers[at]?.metrics ?? {} }))),
    ).toEqual(["accuracy", "loss"]);
  });

  it("show the first two numbers of a run that has neither", () => {
    expect(shown(withNumbers)).toEqual(["evaluate/auc", "evaluate/rmse"]);
  });

  it("wait for the end of the first round before they give accuracy and loss up", () => {
    expect(shown(withNumbers, {}, false)).toEqual(["accuracy", "loss"]);
  });

  it("show one number beside an accuracy or a loss that stands alone", () => {
    const rounds = withNumbers.map((each) => ({ ...each, client_loss: 1 / each.round }));
    expect(shown(rounds)).toEqual(["evaluate/auc", "loss"]);
  });

  it("do not show one curve twice, once raw and once as what FedLoom takes it for", () => {
    const percent = [1, 2].map((at) =>
      round(at, {
        client_accuracy: at / 7,
        metrics: { evaluate: { top1: (100 * at) / 7 }, train: { lr: 0.1 } },
      }),
    );
    expect(shown(percent)).toEqual(["accuracy", "train/lr"]);
  });

  it("stay as they are where there is only one number", () => {
    const one = [round(1, { metrics: { query: { mean: 4 } } })];
    expect(shown(one)).toEqual(["query/mean", "loss"]);
  });

  it("show what the reader chose, where the run has it", () => {
    const chosen = { accuracy: "train/steps", loss: "evaluate/auc" };
    expect(shown(withNumbers, chosen)).toEqual(["train/steps", "evaluate/auc"]);
    expect(shown(evaluates, chosen)).toEqual(["accuracy", "loss"]);
    expect(shown(evaluates, { accuracy: "loss" })).toEqual(["loss", "loss"]);
  });
});

describe("the charts of the built-in app", () => {
  it("show in a private run what it costs beside what it is worth, or what the reader chose", () => {
    expect(shownOfBuiltIn(false, { loss: "epsilon" })).toEqual({
      accuracy: { kind: "accuracy" },
      loss: { kind: "loss" },
    });
    expect(shownOfBuiltIn(true, {}).loss).toEqual({ kind: "epsilon" });
    expect(shownOfBuiltIn(true, { loss: "loss" }).loss).toEqual({ kind: "loss" });
    expect(shownOfBuiltIn(false, { accuracy: "train_loss" }).accuracy).toEqual({ kind: "train_loss" });
  });
});

describe("the metrics on offer", () => {
  it("are those with a value, accuracy and loss first", () => {
    expect(offeredMetrics([...evaluates, ...withNumbers]).map(titleOf)).toEqual([
      "accuracy",
      "loss",
      "auc · evaluate",
      "rmse · evaluate",
      "steps · train",
    ]);
    expect(offeredMetrics([])).toEqual([]);
  });
});
