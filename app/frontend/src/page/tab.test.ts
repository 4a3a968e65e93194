import { describe, expect, it } from "vitest";
import { run } from "../testing/fixtures";
import { tabIcon, tabState, tabTitle } from "./tab";

const WAITS = { kind: "clients", have: 2, need: 3, clients: [], lost: [] } as const;

describe("the browser's tab", () => {
  it.each([
    ["nothing yet", null, null, "FedLoom"],
    ["a run", run({ round: 47, num_rounds: 50 }), 0.981, "▶ 47/50 98.1 % · FedLoom"],
    ["a run without an end", run({ round: 47, num_rounds: null }), null, "▶ 47 · FedLoom"],
    [
      "one that waits for clients",
      run({ state: "waiting", waiting_for: { ...WAITS, clients: [], lost: [] } }),
      null,
      "waiting 2 of 3 · FedLoom",
    ],
    [
      "one that failed",
      run({ state: "failed", round: 4, num_rounds: 10 }),
      null,
      "✗ failed at 4 of 10 · FedLoom",
    ],
    ["one that is over", run({ state: "completed" }), 1, "✓ completed 100.0 % · FedLoom"],
  ])("says of %s what it has come to", (_, shown, accuracy, words) => {
    expect(tabTitle(shown, accuracy, false)).toBe(words);
  });

  it("says before all else that the server is gone", () => {
    expect(tabTitle(run(), 0.5, true)).toBe("server gone · FedLoom");
    expect(tabState(run(), true)).toBe("gone");
  });

  it("has a sign for each state that one would look for, and the plain one for the rest", () => {
    const states = ["running", "waiting", "paused", "completed", "failed", "interrupted", "gone"] as const;
    expect(new Set(states.map(tabIcon)).size).toBe(states.length);
    expect(tabIcon("none")).toBe("/static/favicon.svg");
  });
});
