import { describe, expect, it } from "vitest";
import { client, result, round, run, spec } from "../testing/fixtures";
import { classesFor, countNumbers, labelLines, latestResults, noteOf, numbersByStage } from "./results";

const failed = result({ error: "RuntimeError: out of memory" });
const late = result({ late: true });

describe("latestResults", () => {
  it("takes each client's newest part, also from an earlier round", () => {
    const rounds = [
      round(1, { per_client: { a: failed, b: late } }),
      round(2, { per_client: { a: result({ accuracy: 0.5 }) }, complete: false }),
    ];
    expect(latestResults(rounds).get("a")).toEqual({ round: 2, result: result({ accuracy: 0.5 }) });
    expect(latestResults(rounds).get("b")).toEqual({ round: 1, result: late });
    expect(latestResults(rounds).get("c")).toBeUndefined();
  });
});

describe("numbersByStage", () => {
  it("keeps the stages apart, and leaves out one without numbers", () => {
    const reply = result({
      stages: { train: { loss: 1 }, query: {}, evaluate: { loss: 2 } },
      metrics: { loss: 2 },
    });
    expect(numbersByStage(reply)).toEqual([
      { stage: "train", numbers: [["loss", 1]] },
      { stage: "evaluate", numbers: [["loss", 2]] },
    ]);
    expect(countNumbers(reply)).toBe(2);
    expect(countNumbers(result())).toBe(0);
  });

  it("knows one list of all in a record that tells no stages", () => {
    expect(numbersByStage(result({ metrics: { bleu: 0.25 } }))).toEqual([
      { stage: "reply", numbers: [["bleu", 0.25]] },
    ]);
  });
});

describe("noteOf", () => {
  it("tells a failure with its message, and who was late", () => {
    expect(noteOf({ round: 3, result: failed }, "idle")).toEqual({
      kind: "failed",
      round: 3,
      why: "RuntimeError: out of memory",
    });
    expect(noteOf({ round: 3, result: late }, "idle")?.kind).toBe("late");
  });

  it("tells a client whose site declines from one that failed", () => {
    const declined = result({ error: "declined by its site: confirm = true", verdict: "declined" });
    expect(noteOf({ round: 3, result: declined }, "idle")).toEqual({
      kind: "declined",
      round: 3,
      why: "declined by its site: confirm = true",
    });
  });

  it("is nothing where all went well", () => {
    expect(noteOf({ round: 3, result: result() }, "idle")).toBeNull();
    expect(noteOf(undefined, "idle")).toBeNull();
  });

  it("does not call a client failed that was lost, while it is", () => {
    const cut = { round: 22, result: result({ error: "the connection broke", lost: true }) };
    expect(noteOf(cut, "lost")).toBeNull();
    expect(noteOf(cut, "idle")?.kind).toBe("failed");
    expect(noteOf({ round: 22, result: failed }, "lost")?.kind).toBe("failed");
  });
});

describe("a client's labels", () => {
  it("have their names where these are known", () => {
    expect(labelLines([12, 1400], ["cat"])).toEqual(["cat: 12", "1: 1,400"]);
  });

  it("have no names of another data set", () => {
    const cifar = run({ spec: spec({ dataset: "cifar10" }), classes: ["airplane"] });
    expect(classesFor(client("a", { dataset: "cifar10" }), cifar)).toEqual(["airplane"]);
    expect(classesFor(client("a"), cifar)).toEqual([]);
    expect(classesFor(client("a"), null)).toEqual([]);
  });
});
