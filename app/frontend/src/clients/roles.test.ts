import { describe, expect, it } from "vitest";
import { client, result, round, run, spec } from "../testing/fixtures";
import { countRoles, roleInRun, roleOf, roundInProgress, roleWord } from "./roles";

const progress = { done: 1, total: 5, examples_per_s: 100, loss: null };

describe("a client's role in the round", () => {
  it.each([
    ["asked", client("a", { state: "training" }), undefined],
    ["training", client("a", { state: "training", progress }), undefined],
    ["training", client("a", { state: "training", app: "quickstart" }), undefined],
    ["evaluating", client("a", { state: "evaluating", progress }), result({ train_s: 3 })],
    ["delivered", client("a"), result({ train_s: 3.2 })],
    ["evaluated", client("a"), result({ train_s: 3.2, evaluate_s: 0.1 })],
    ["evaluated", client("a", { app: "quickstart" }), result({ accuracy: 0.5 })],
    ["late", client("a", { state: "late" }), undefined],
    ["late", client("a"), result({ late: true })],
    ["lost", client("a", { state: "lost" }), result({ train_s: 3 })],
    ["failed", client("a"), result({ error: "KeyError" })],
    ["declined", client("a"), result({ error: "its site", verdict: "declined" })],
    ["idle", client("a"), result({ error: "a was lost", lost: true })],
    ["idle", client("a"), undefined],
    ["apart", client("a", { reason: "holds digits" }), undefined],
    ["apart", client("a", { state: "lost", membership: "revoked" }), undefined],
  ] as const)("is %s", (role, of, part) => expect(roleOf(of, part)).toBe(role));

  it("is named in words, and counted", () => {
    expect(roleWord("apart")).toBe("takes no part");
    expect(roleWord("late")).toBe("late");
    expect(countRoles(["late", "idle", "late"])).toEqual(
      new Map([
        ["late", 2],
        ["idle", 1],
      ]),
    );
  });
});

describe("a client's role in a run", () => {
  const over = run({ state: "completed", clients: ["a"] });
  const goesOn = run({ clients: ["a"] });
  const training = { phase: "training", done: 1, total: 2, since: 100 } as const;
  const simulated = { spec: spec({ engine: "simulation" }), clients: ["a", "b"] };
  const askedAll = run({ ...simulated, progress: training });
  const askedSome = run({ ...simulated, progress: { ...training, total: 1 } });
  const none = { client: undefined, part: undefined, latest: undefined };
  const trained = result({ train_s: 3 });
  const lost = result({ error: "it was lost", lost: true });

  it.each([
    ["delivered", over, { ...none, latest: trained }],
    ["failed", over, { ...none, latest: result({ error: "KeyError" }) }],
    ["lost", over, { ...none, latest: lost }],
    ["apart", over, none],
    [
      "training",
      goesOn,
      { client: client("a", { state: "training", progress }), part: undefined, latest: trained },
    ],
    ["idle", goesOn, { client: client("a"), part: undefined, latest: trained }],
    // The server has forgotten it.
    ["apart", goesOn, { ...none, latest: trained }],
    ["delivered", goesOn, { ...none, part: trained, latest: trained }],
    ["asked", askedAll, none],
    ["idle", askedSome, none],
    ["idle", run(simulated), none],
    ["lost", askedAll, { ...none, part: lost, latest: lost }],
    ["delivered", askedAll, { ...none, part: trained, latest: trained }],
  ] as const)("is %s (%#)", (role, of, known) => expect(roleInRun(of, known)).toBe(role));
});

describe("the round that goes on", () => {
  it("is the newest of a run that is not over", () => {
    const rounds = [round(3), round(4, { complete: false })];
    expect(roundInProgress(run({ round: 4 }), rounds)).toBe(rounds[1]);
    expect(roundInProgress(run({ round: 5 }), rounds)).toBeNull();
    expect(roundInProgress(run({ state: "completed" }), rounds)).toBeNull();
    expect(roundInProgress(null, rounds)).toBeNull();
  });
});
