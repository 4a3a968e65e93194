import { describe, expect, it } from "vitest";
import { EMPTY, type ServerState } from "../store/server-state";
import { client, result, round, run, waitingFor } from "../testing/fixtures";
import { look, type Notice, WAITING_S } from "./watch";

/** Looks at one state of the server after another, each a second later or at its own time. */
function told(...states: (Partial<ServerState> & { at?: number })[]): Notice[][] {
  let seen: Parameters<typeof look>[0] = null;
  return states.map(({ at, ...state }, index) => {
    const found = look(seen, { ...EMPTY, ...state }, at ?? index);
    seen = found.seen;
    return found.notices;
  });
}

describe("what is worth a notification", () => {
  it("is the end of a run, once", () => {
    const ended = run({
      state: "completed",
      round: 5,
      num_rounds: 5,
      final: { accuracy: 0.987, loss: 0.1 },
      name: "night",
    });
    const [first, second, third] = told({ runs: [run()] }, { runs: [ended] }, { runs: [ended] });
    expect(first).toEqual([]);
    expect(second).toMatchObject([
      { title: "Run night is complete", body: "round 5 of 5, accuracy 98.7 %", to: "/runs/7f3a9c01" },
    ]);
    expect(third).toEqual([]);
  });

  it("is a failure, with its reason", () => {
    const failed = run({ state: "failed", round: 2, num_rounds: 5, reason: "No memory was left." });
    expect(told({ runs: [run()] }, { runs: [failed] })[1]).toMatchObject([
      { title: "Run 7f3a9c01 has failed", body: "round 2 of 5. No memory was left." },
    ]);
  });

  it("is nothing that was there when the page was opened, or came with a search", () => {
    const old = run({ state: "failed" });
    expect(told({ runs: [old] }, { runs: [old, run({ id: "older", state: "completed" })] })).toEqual([
      [],
      [],
    ]);
  });

  it("is a wait for clients that lasts, once for each wait", () => {
    const waiting = run({
      state: "waiting",
      waiting_for: waitingFor("clients"),
      reason: "waiting for 1 more client",
    });
    const [, early, late, later, , again] = told(
      { runs: [waiting] },
      { runs: [waiting], at: WAITING_S - 1 },
      { runs: [waiting], at: WAITING_S },
      { runs: [waiting], at: 2 * WAITING_S },
      { runs: [run()], at: 2 * WAITING_S + 1 },
      { runs: [waiting], at: 2 * WAITING_S + 2 },
    );
    expect([early, later, again]).toEqual([[], [], []]);
    expect(late).toMatchObject([{ body: "waiting for 1 more client", to: "/" }]);
  });

  it("is no wait that ends by itself", () => {
    const loading = run({ state: "waiting", waiting_for: waitingFor("data") });
    expect(told({ runs: [loading] }, { runs: [loading], at: 10 * WAITING_S })[1]).toEqual([]);
  });

  it("is a client to approve, once for each key", () => {
    const pending = client("new", { membership: "pending", key: "AAAA" });
    const [, first, second, third] = told(
      { clients: [] },
      { clients: [pending] },
      { clients: [pending] },
      { clients: [{ ...pending, waiting_keys: ["BBBB"] }] },
    );
    expect(first).toMatchObject([{ title: "new waits to be approved", to: "/clients" }]);
    expect(second).toEqual([]);
    expect(third).toHaveLength(1);
  });

  it("is a privacy budget that is nearly spent, once", () => {
    const spent = (epsilon: number) => ({
      rounds: { a: [round(1, { per_client: { "client-1": result({ epsilon, epsilon_budget: 2 }) } })] },
    });
    const [, early, first, second] = told({}, spent(1.7), spent(1.8), spent(1.9));
    expect([early, second]).toEqual([[], []]);
    expect(first).toMatchObject([{ title: "client-1: privacy budget nearly spent" }]);
  });
});
