import { describe, expect, it } from "vitest";
import { round, run } from "../testing/fixtures";
import { emptyWords, newestWords } from "./words";

const accuracy = { kind: "accuracy" } as const;
const loss = { kind: "loss" } as const;
const auc = (stage: string) => ({ kind: "number", stage, name: "auc" }) as const;

describe("newestWords", () => {
  it("say whose value it is", () => {
    expect(newestWords(accuracy, "global", false).of).toBe("global");
    expect(newestWords(loss, "mean", false)).toEqual({
      of: "mean of the clients",
      missing: "no client has reported its loss yet",
      unit: "weighted by their examples",
    });
    expect(newestWords(loss, "training", false).unit).toBe("while training");
    expect(newestWords(auc("server"), "server", true).unit).toBe("as the app's server computes it");
  });

  it("claim nothing of what another app evaluates, or how", () => {
    expect(newestWords(loss, "global", false).unit).toBe("cross-entropy, nats");
    expect(newestWords(loss, "global", true).unit).toBe("as the app's server evaluates it");
  });
});

describe("emptyWords", () => {
  const begun = [round(0), round(1, { complete: false })];
  const done = [round(1), round(2, { complete: false })];

  it("stand in no chart that has a point", () =>
    expect(emptyWords(run(), accuracy, "global", [], true)).toBeNull());

  it.each([
    [null, "curves appear here once a run has started"],
    [run({ state: "running" }), "the first point appears when the initial model has been evaluated"],
    [run({ state: "interrupted" }), "the run was interrupted before its first evaluation"],
    [run({ state: "stopped" }), "the run ended before its first evaluation"],
  ])("say when the first comes, or why none will (%#)", (subject, words) => {
    expect(emptyWords(subject, accuracy, "global", [], false)).toBe(words);
  });

  it.each([
    ["running", begun, "the first point appears when a client has reported it"],
    ["running", done, "the app's clients reported no accuracy"],
    ["interrupted", begun, "the run was interrupted before a client reported its accuracy"],
    ["interrupted", done, "the app's clients reported no accuracy"],
    ["stopped", begun, "the run ended before a client reported its accuracy"],
    ["completed", [], "the app's clients reported no accuracy"],
  ] as const)("say of another app what its clients reported (%#)", (state, rounds, words) => {
    expect(emptyWords(run({ state }), accuracy, "mean", rounds, false)).toBe(words);
  });

  it("name the chart's own metric", () =>
    expect(emptyWords(run(), loss, "mean", done, false)).toBe("the app's clients reported no loss"));

  it("name an app's own number by its stage, and who would report it", () => {
    const begun = run({ state: "running" });
    expect(emptyWords(begun, auc("evaluate"), "aggregate", [], false)).toBe(
      "the first point appears when a client has reported it",
    );
    expect(emptyWords(run({ state: "completed" }), auc("server"), "server", [], false)).toBe(
      "the app's server computed no auc · server",
    );
  });
});
