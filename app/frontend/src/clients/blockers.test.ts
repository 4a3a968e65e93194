import { describe, expect, it } from "vitest";
import { client, result, round, run as anyRun } from "../testing/fixtures";
import { blockerWords, holdupsOf, usualSeconds } from "./blockers";

const rounds = [1, 2, 3].map((number) =>
  round(number, {
    per_client: { a: result({ train_s: 2 }), b: result({ train_s: number === 2 ? 60 : 3 }) },
  }),
);
const training = anyRun({
  id: "aa",
  round: 4,
  progress: { phase: "training", done: 1, total: 3, since: 100 },
});
const at = (seconds: number, ...clients: Parameters<typeof holdupsOf>[1]) =>
  blockerWords(holdupsOf(training, clients, rounds, 100 + seconds));

describe("how long a client usually takes", () => {
  it("is its own median, which one slow round does not change", () => {
    expect(usualSeconds(rounds, "train_s")("b")).toBe(3);
  });

  it("is that of all where it is new, and nothing where nobody has a time", () => {
    expect(usualSeconds(rounds, "train_s")("new")).toBe(3);
    expect(usualSeconds(rounds, "evaluate_s")("a")).toBeNull();
    expect(usualSeconds([round(1, { complete: false })], "train_s")("a")).toBeNull();
  });
});

describe("who holds up the round", () => {
  const a = client("a", { run: "aa", state: "training" });

  it("is named once it takes much longer than usually", () => {
    expect(at(4, a)).toBeNull();
    expect(at(30, a)).toBe("waiting for a (30 s, usually 2 s)");
  });

  it("is named in a first round too, where nobody knows how long it takes", () => {
    const first = { ...training, round: 1 };
    expect(blockerWords(holdupsOf(first, [a], [], 108))).toBeNull();
    expect(blockerWords(holdupsOf(first, [a], [], 114))).toBe("waiting for a (14 s)");
  });

  it("is not one that has delivered, or works for another run", () => {
    expect(at(30, client("a", { run: "aa" }), client("b", { run: "old", state: "training" }))).toBeNull();
  });

  it("names the lost of this run, and counts many", () => {
    const lost = ["c", "d", "e", "f", "g"].map((id) => client(id, { run: "aa", state: "lost" }));
    const others = [
      client("x", { run: "old", state: "lost" }),
      client("y", { run: "aa", state: "lost", membership: "revoked" }),
    ];
    expect(at(30, a, ...lost, ...others)).toBe("waiting for a (30 s, usually 2 s); c, d, e and 2 more lost");
  });

  it("names whom the round goes on without", () => {
    const parts = { a: result({ late: true }), b: result({ train_s: 3 }) };
    const now = [...rounds, round(4, { complete: false, per_client: parts })];
    expect(blockerWords(holdupsOf(training, [a], now, 101))).toBe("going on without a");
  });

  it("is nobody in a run that stands", () => {
    const still = (changes: Partial<typeof training>) =>
      blockerWords(holdupsOf({ ...training, ...changes }, [a], rounds, 200));
    expect(still({ state: "paused" })).toBeNull();
    expect(still({ progress: null })).toBeNull();
  });
});
