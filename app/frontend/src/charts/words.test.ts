import { describe, expect, it } from "vitest";
import { round, run } from "../testing/fixtures";
import { emptyWords, newestWords } from "./words";

describe("newestWords", () => {
  it("say whose value it is", () => {
    expect(newestWords("accuracy", "global").of).toBe("global");
    expect(newestWords("loss", "mean")).toEqual({
      of: "mean of the clients",
      missing: "no client has reported its loss yet",
      unit: "weighted by their examples",
    });
    expect(newestWords("loss", "training").unit).toBe("while training");
  });
});

describe("emptyWords", () => {
  const begun = [round(0), round(1, { complete: false })];
  const done = [round(1), round(2, { complete: false })];

  it("stand in no chart that has a point", () =>
    expect(emptyWords(run(), "accuracy", "global", [], true)).toBeNull());

  it.each([
    [null, "curves appear here once a run has started"],
    [run({ state: "running" }), "the first point appears when the initial model has been evaluated"],
    [run({ state: "interrupted" }), "the run was interrupted before its first evaluation"],
    [run({ state: "stopped" }), "the run ended before its first evaluation"],
  ])("say when the first comes, or why none will (%#)", (subject, words) => {
    expect(emptyWords(subject, "accuracy", "global", [], false)).toBe(words);
  });

  it.each([
    ["running", begun, "the first point appears when a client has reported it"],
    ["running", done, "the app's clients reported no accuracy"],
    ["interrupted", begun, "the run was interrupted before a client reported its accuracy"],
    ["interrupted", done, "the app's clients reported no accuracy"],
    ["stopped", begun, "the run ended before a client reported its accuracy"],
    ["completed", [], "the app's clients reported no accuracy"],
  ] as const)("say of another app what its clients reported (%#)", (state, rounds, words) => {
    expect(emptyWords(run({ state }), "accuracy", "mean", rounds, false)).toBe(words);
  });

  it("name the chart's own metric", () =>
    expect(emptyWords(run(), "loss", "mean", done, false)).toBe("the app's clients reported no loss"));
});
