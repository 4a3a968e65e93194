import { describe, expect, it } from "vitest";
import { client, run, spec, snapshot, waitingFor } from "../testing/fixtures";
import { snapshotReceived, useStore } from "../store/store";
import { isReadyCheck, standingOf } from "./ready";

const objections = (...given: Parameters<typeof standingOf>) =>
  standingOf(...given).candidates.map(({ objection }) => objection);

describe("who a run could begin with", () => {
  it("counts who is connected, let in, and has what the run trains on", () => {
    const clients = [
      client("a"),
      client("b", { dataset: "mnist" }),
      client("c", { state: "lost" }),
      client("d", { membership: "pending" }),
      client("e", { membership: "revoked" }),
      client("f", { models: ["linear"] }),
      client("g", { app: "quick" }),
    ];
    const wanted = spec({ dataset: "digits", model: "cnn", min_clients: 3 });
    expect(standingOf(clients, wanted, null)).toMatchObject({ fitting: 1, needed: 3 });
    expect(objections(clients, wanted, null)).toEqual([
      null,
      "holds mnist, runs here begin with digits",
      "its key is revoked",
      "has no cnn model",
      "runs the app quick",
    ]);
  });

  it("takes the server's word for a run that waits", () => {
    const waiting = run({
      id: "aa",
      state: "waiting",
      round: 0,
      waiting_for: waitingFor("clients", { have: 1, need: 4 }),
    });
    const clients = [client("a"), client("b", { reason: "finds all parts taken" })];
    expect(standingOf(clients, waiting.spec, waiting)).toMatchObject({ fitting: 1, needed: 4 });
    expect(objections(clients, waiting.spec, waiting)).toEqual([null, "finds all parts taken"]);
  });

  it("compares apps by name where the server runs one", () => {
    const clients = [client("a", { app: "quick", dataset: "" }), client("b")];
    expect(objections(clients, spec({ app: "quick" }), null)).toEqual([null, "does not run the app quick"]);
  });
});

describe("the ready check", () => {
  const shownWith = (...given: Parameters<typeof snapshot>): boolean => {
    snapshotReceived(snapshot(...given));
    return isReadyCheck(useStore.getState());
  };

  it("is there while there is no run, also with clients", () => {
    expect(shownWith({ runs: [] })).toBe(true);
    expect(shownWith({ runs: [], clients: [client("a"), client("b")] })).toBe(true);
  });

  it("stays while the first round lacks clients, and no longer", () => {
    const queued = run({ state: "queued", round: 0, spec: spec({ min_clients: 2 }) });
    expect(shownWith({ runs: [queued] })).toBe(true);
    expect(shownWith({ runs: [queued], clients: [client("a"), client("b")] })).toBe(false);
    const waiting = { ...queued, state: "waiting" as const };
    expect(shownWith({ runs: [waiting], clients: [client("a")] })).toBe(true);
    expect(shownWith({ runs: [{ ...waiting, round: 3 }], clients: [client("a")] })).toBe(false);
    expect(shownWith({ runs: [run({ state: "completed" })] })).toBe(false);
  });
});
