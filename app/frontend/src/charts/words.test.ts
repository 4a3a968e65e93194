import { describe, expect, it } from "vitest";
import { run } from "../fixtures";
import { emptyWords, newestWords } from "./words";

describe("newestWords", () => {
  it("say whose value it is", () => {
    expect(newestWords("accuracy", "global").of).toBe("global");
    expect(newestWords("loss", "mean")).toEqual({
      of: "mean of the clients", missing: "no client has reported its loss yet", unit: "weighted by their examples",
    });
    expect(newestWords("loss", "training").unit).toBe("while training");
  });
});

describe("emptyWords", () => {
  it("stand in no chart that has a point", () => expect(emptyWords(run(), "global", true)).toBeNull());

  it.each([
    [null, "global", "curves appear here once a run has started"],
    [run({ state: "interrupted" }), "global", "the first point appears when the initial model has been evaluated"],
    [run({ state: "stopped" }), "global", "the run ended before its first evaluation"],
    [run({ state: "running" }), "mean", "the first point appears when a client has reported it"],
    [run({ state: "completed" }), "mean", "the app's clients reported none"],
  ] as const)("say when the first comes, or why none will (%#)", (subject, source, words) => {
    expect(emptyWords(subject, source, false)).toBe(words);
  });
});
