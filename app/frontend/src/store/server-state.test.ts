import { describe, expect, it } from "vitest";
import type { BatchEvent, Client, LogEvent, Round, Run, ServerEvent, Snapshot } from "../api/types";
import * as fixtures from "../testing/fixtures";
import { client } from "../testing/fixtures";
import {
  applyEvents,
  applySnapshot,
  mergeRun,
  LOG_LIMIT,
  mergeRounds,
  type ServerState,
} from "./server-state";

const run = (id: string, changes: Partial<Run> = {}): Run => fixtures.run({ id, round: 1, ...changes });
const round = (number: number, changes: Partial<Round> = {}): Round =>
  fixtures.round(number, { loss: 1, accuracy: 0.5, ...changes });

function snapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    seq: 10,
    time: 200,
    instance: "one",
    audit: fixtures.audit(),
    status: fixtures.status(),
    total_runs: 1,
    runs: [run("aa")],
    rounds: { aa: [round(0), round(1)] },
    newest_rounds: { aa: round(1) },
    clients: [client("client-10"), client("client-2")],
    logs: [
      {
        seq: 9,
        time: 199,
        level: "info",
        source: "server",
        logger: "x",
        message: "old",
        run_id: null,
        traceback: null,
      },
    ],
    ...changes,
  };
}

function runUpdate(seq: number, data: Run): ServerEvent {
  return { seq, time: seq, type: "run_update", data };
}
function clientUpdate(seq: number, data: Client): ServerEvent {
  return { seq, time: seq, type: "client_update", data };
}
function clientGone(seq: number, id: string): ServerEvent {
  return { seq, time: seq, type: "client_gone", data: { id } };
}
function metrics(seq: number, runId: string, data: Round): ServerEvent {
  return { seq, time: seq, type: "metrics_update", data: { run_id: runId, round: data } };
}
function store(seq: number, problem: string | null): ServerEvent {
  return { seq, time: seq, type: "store_update", data: { problem } };
}
function log(seq: number, message: string): LogEvent {
  const data = {
    level: "info",
    source: "server",
    logger: "x",
    message,
    run_id: null,
    traceback: null,
  } as const;
  return { seq, time: seq, type: "log", data };
}

const start = (): ServerState => applySnapshot(snapshot());
const numbers = (state: ServerState, runId = "aa"): number[] =>
  (state.rounds[runId] ?? []).map((r) => r.round);

describe("a snapshot", () => {
  it("fills the state, clients in natural order, runs newest first", () => {
    const state = applySnapshot(
      snapshot({ runs: [run("old", { created_at: 1 }), run("new", { created_at: 2 })] }),
    );
    expect(state.clients.map((c) => c.id)).toEqual(["client-2", "client-10"]);
    expect(state.runs.map((r) => r.id)).toEqual(["new", "old"]);
    expect(state.seq).toBe(10);
  });

  it("of another instance replaces all, also when its numbers are lower", () => {
    const before = applyEvents(start(), [log(500, "from the first server"), runUpdate(501, run("bb"))]);
    expect(before.seq).toBe(501);
    const after = applySnapshot(
      snapshot({ instance: "two", seq: 3, runs: [], rounds: {}, clients: [], logs: [] }),
    );
    expect(after.instance).toBe("two");
    expect([after.runs, after.clients, after.logs]).toEqual([[], [], []]);
    const next = applyEvents(after, [clientUpdate(4, client("client-1"))]);
    expect(next.clients.map((c) => c.id)).toEqual(["client-1"]);
    expect(next.seq).toBe(4);
  });

  it("marks which runs have all their rounds", () => {
    const state = applySnapshot(
      snapshot({
        runs: [
          run("aa"),
          run("queued", { state: "queued", round: 0, started_at: null, final: null }),
          run("of another app", { state: "completed", round: 3, final: null }),
          run("done", { final: { loss: 0.1, accuracy: 0.9 } }),
          run("stopped while it waited", {
            state: "stopped",
            started_at: null,
            final: { loss: 2.3, accuracy: 0.1 },
          }),
        ],
      }),
    );
    expect(Object.keys(state.roundsKnown).sort()).toEqual(["aa", "queued"]);
  });
});

describe("events", () => {
  it("insert a new run and update a known one in place", () => {
    const state = applyEvents(start(), [
      runUpdate(11, run("bb", { created_at: 300, started_at: null, state: "queued" })),
      runUpdate(12, run("aa", { round: 2 })),
    ]);
    expect(state.runs.map((r) => [r.id, r.round])).toEqual([
      ["bb", 1],
      ["aa", 2],
    ]);
    expect(state.roundsKnown.bb).toBe(true);
    expect(state.seq).toBe(12);
  });

  it("upsert a round: partial results first, then the whole, in order of the round", () => {
    const partial = applyEvents(start(), [metrics(11, "aa", round(3, { complete: false, accuracy: null }))]);
    expect(partial.rounds.aa?.at(-1)?.complete).toBe(false);
    const whole = applyEvents(partial, [
      metrics(12, "aa", round(3, { accuracy: 0.9 })),
      metrics(13, "aa", round(2)),
    ]);
    expect(numbers(whole)).toEqual([0, 1, 2, 3]);
    expect(whole.rounds.aa?.at(-1)).toMatchObject({ complete: true, accuracy: 0.9 });
  });

  it("of a round that is complete no longer change it when they were sent before", () => {
    const state = applyEvents(start(), [
      metrics(12, "aa", round(2, { accuracy: 0.9 })),
      metrics(11, "aa", round(2, { complete: false, accuracy: null })),
    ]);
    expect(state.rounds.aa?.at(-1)).toMatchObject({ complete: true, accuracy: 0.9 });
  });

  it("already held by the snapshot change nothing", () => {
    const state = start();
    const same = applyEvents(state, [
      runUpdate(10, run("aa", { round: 9 })),
      clientUpdate(4, client("x")),
      log(9, "old"),
    ]);
    expect(same).toBe(state);
  });

  it("of one entity that arrive out of order keep the newer", () => {
    const state = applyEvents(start(), [
      clientUpdate(15, client("client-2", { state: "lost" })),
      clientUpdate(14, client("client-2", { state: "training" })),
    ]);
    expect(state.clients.find((c) => c.id === "client-2")?.state).toBe("lost");
  });

  it("of different entities may overtake each other without loss", () => {
    const state = applyEvents(start(), [
      clientUpdate(20, client("client-2", { round: 2 })),
      runUpdate(18, run("aa", { round: 2 })),
    ]);
    expect(state.runs[0]?.round).toBe(2);
    expect(state.seq).toBe(20);
  });

  it("never lower the number that a reconnect asks for", () => {
    const state = applyEvents(applyEvents(start(), [log(30, "new")]), [log(25, "late")]);
    expect(state.seq).toBe(30);
    expect(state.logs.map((entry) => entry.message)).toEqual(["old", "late", "new"]);
  });

  it("tell whether what happens is kept", () => {
    const full = applyEvents(start(), [store(11, "The disk is full.")]);
    expect(full.status).toEqual({ ...start().status, store_problem: "The disk is full." });
    expect(
      applyEvents(full, [store(13, null), store(12, "The disk is full.")]).status?.store_problem,
    ).toBeNull();
  });

  it("drop the rounds that a run does anew when it goes back", () => {
    const before = applyEvents(start(), [
      runUpdate(11, run("aa", { round: 3 })),
      metrics(12, "aa", round(2)),
      metrics(13, "aa", round(3)),
    ]);
    expect(numbers(before)).toEqual([0, 1, 2, 3]);
    const resumed = applyEvents(before, [runUpdate(14, run("aa", { state: "queued", round: 2 }))]);
    expect(numbers(resumed)).toEqual([0, 1, 2]);
    const again = applyEvents(before, [
      runUpdate(14, run("aa", { state: "queued", round: 0 })),
      metrics(15, "aa", round(1, { complete: false })),
    ]);
    expect(again.rounds.aa?.map((each) => [each.round, each.complete])).toEqual([
      [0, true],
      [1, false],
    ]);
  });

  it("sent twice, as after a reconnect, appear once", () => {
    const state = applyEvents(start(), [log(11, "a"), log(12, "b")]);
    expect(applyEvents(state, [log(11, "a"), log(12, "b")])).toBe(state);
  });

  it("leave untouched parts identical, so that only what changed is drawn again", () => {
    const state = start();
    const next = applyEvents(state, [log(11, "a")]);
    expect(next.rounds).toBe(state.rounds);
    expect(next.clients).toBe(state.clients);
  });

  it("keep only the newest log records", () => {
    const many = Array.from({ length: LOG_LIMIT + 5 }, (_, index) => log(11 + index, String(index)));
    const state = applyEvents(start(), many);
    expect(state.logs).toHaveLength(LOG_LIMIT);
    expect(state.logs.at(-1)?.message).toBe(String(LOG_LIMIT + 4));
  });

  it("keep what happened while an app prints without end", () => {
    const told = log(11, "round 1 aggregated");
    const printed = Array.from({ length: LOG_LIMIT + 5 }, (_, index): LogEvent => {
      const event = log(12 + index, String(index));
      return { ...event, data: { ...event.data, logger: "app" } };
    });
    const { logs } = applyEvents(start(), [told, ...printed]);
    expect(logs.filter(({ logger }) => logger === "app")).toHaveLength(LOG_LIMIT);
    expect(logs.map(({ message }) => message)).toContain("round 1 aggregated");
    expect(logs.map(({ seq }) => seq)).toEqual(logs.map(({ seq }) => seq).toSorted((a, b) => a - b));
  });
});

describe("changes", () => {
  const clientChange = (seq: number, id: string, fields: Partial<Client>): BatchEvent => ({
    seq,
    time: seq,
    type: "client_change",
    data: { id, fields },
  });
  const roundChange = (
    seq: number,
    number: number,
    fields: Partial<Round>,
    per_client: Round["per_client"] = {},
  ): BatchEvent => ({
    seq,
    time: seq,
    type: "metrics_change",
    data: { run_id: "aa", round: number, fields, per_client },
  });

  it("of a client leave what they do not name, and count in order with updates", () => {
    const state = applyEvents(start(), [
      clientUpdate(11, client("client-2", { state: "training", round: 2 })),
      clientChange(12, "client-2", { accuracy: 0.5 }),
      clientChange(13, "client-2", { state: "idle" }),
      clientChange(12, "client-2", { state: "lost" }),
    ]);
    expect(state.clients[0]).toMatchObject({ state: "idle", round: 2, accuracy: 0.5 });
    expect(state.seq).toBe(13);
  });

  it("of the newest round put parts beside those that are known, and end with the whole", () => {
    const state = applyEvents(start(), [
      metrics(11, "aa", round(2, { complete: false, per_client: { a: fixtures.result({ loss: 1 }) } })),
      roundChange(12, 2, { loss: 0.2 }, { b: fixtures.result({ loss: 3 }) }),
      roundChange(13, 2, { complete: true }, { a: fixtures.result({ loss: 2 }) }),
      roundChange(14, 2, { complete: false, loss: 9 }),
    ]);
    const newest = state.rounds.aa?.at(-1);
    expect(newest).toMatchObject({ round: 2, complete: true, loss: 0.2 });
    expect(newest?.per_client).toMatchObject({ a: { loss: 2 }, b: { loss: 3 } });
  });

  it("of a client or a round that nobody knows change nothing", () => {
    const state = applyEvents(start(), [
      clientChange(11, "client-7", { state: "idle" }),
      roundChange(12, 8, { loss: 1 }),
    ]);
    expect(state.clients.map(({ id }) => id)).toEqual(["client-2", "client-10"]);
    expect(numbers(state)).toEqual([0, 1]);
  });

  it("are applied to the newest round of a run whose others are not known yet", () => {
    const state = applySnapshot(
      snapshot({ rounds: {}, newest_rounds: { aa: round(7, { complete: false }) } }),
    );
    expect(state.roundsKnown.aa).toBeUndefined();
    const next = applyEvents(state, [roundChange(11, 7, { complete: true, loss: 0.1 })]);
    expect(next.rounds.aa).toMatchObject([{ round: 7, complete: true, loss: 0.1 }]);
  });
});

describe("fetched rounds", () => {
  it("fill what is missing and never replace a complete round that came live", () => {
    const live = applyEvents(start(), [
      metrics(11, "bb", round(2, { accuracy: 0.8 })),
      metrics(12, "bb", round(3, { complete: false })),
    ]);
    const state = mergeRounds(live, "bb", [round(0), round(1), round(2, { accuracy: 0.1 })], true);
    expect(numbers(state, "bb")).toEqual([0, 1, 2, 3]);
    expect(state.rounds.bb?.[2]?.accuracy).toBe(0.8);
    expect(state.roundsKnown.bb).toBe(true);
  });

  it("give the clients of an old run their colours", () => {
    const state = mergeRounds(
      start(),
      "bb",
      [round(1, { per_client: { "client-5": fixtures.result() } })],
      true,
    );
    expect(state.colours["client-5"]).toBe(4);
  });
});

describe("a client that vanishes", () => {
  it("is on the list no more, and comes back when it joins again", () => {
    const gone = applyEvents(start(), [clientGone(11, "client-2")]);
    expect(gone.clients.map(({ id }) => id)).toEqual(["client-10"]);
    const back = applyEvents(gone, [clientUpdate(12, client("client-2"))]);
    expect(back.clients.map(({ id }) => id)).toEqual(["client-2", "client-10"]);
  });

  it("does not come back by what was said of it before", () => {
    const state = applyEvents(start(), [clientGone(12, "client-2"), clientUpdate(11, client("client-2"))]);
    expect(state.clients.map(({ id }) => id)).toEqual(["client-10"]);
  });
});

describe("older runs", () => {
  it("come when they are asked for, and are not taken for new ones", () => {
    const old = run("old", { created_at: 1, started_at: 2, round: 5, final: { loss: 1, accuracy: 0.5 } });
    const known = mergeRun(start(), old);
    expect(known.runs.map(({ id }) => id)).toEqual(["aa", "old"]);
    expect(known.roundsKnown).not.toHaveProperty("old");
    const newer = { ...old, name: "renamed" };
    const told = applyEvents(known, [{ seq: 11, time: 1, type: "run_update", data: newer }]);
    expect(mergeRun(told, old).runs.find(({ id }) => id === "old")?.name).toBe("renamed");
  });

  it("go with their rounds when they are deleted", () => {
    const gone = applyEvents(start(), [{ seq: 11, time: 1, type: "run_gone", data: { id: "aa" } }]);
    expect(gone.runs).toEqual([]);
    expect(gone.rounds).not.toHaveProperty("aa");
    expect(gone.roundsKnown).not.toHaveProperty("aa");
    const late = { seq: 10, time: 1, type: "run_update", data: run("aa") } as const;
    expect(applyEvents(gone, [late]).runs).toEqual([]);
  });
});
