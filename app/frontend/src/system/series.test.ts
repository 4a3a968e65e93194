import { describe, expect, it } from "vitest";
import type { NodeSeries } from "../api/types";
import { NO_USAGES } from "../store/usages";
import { client, round, usage } from "../testing/fixtures";
import { endOf, EXTENTS, gapOf } from "./history";
import { axisEnd, columnsFor } from "./metrics";
import { bandsOf, lengthOf, linesOf, momentAt, pathOf, roundAtTime, rowsOf } from "./series";

const NOW = 1000;
const fetched = (name: string | null, ...times: number[]): NodeSeries => ({
  client: name,
  connected: true,
  latest: null,
  series: times.map((time) => usage(time)),
});
const lines = (...nodes: NodeSeries[]) => linesOf(nodes, NO_USAGES, NOW - 900, 0);

describe("what is drawn", () => {
  const told = new Map([["a", [2, 4, 6, 8, 12, 14].map((seconds) => usage(NOW + seconds))]]);
  const times = (step: number) =>
    linesOf([fetched("a", NOW - 5, NOW + 2)], told, NOW - 10, step)
      .get("a")
      ?.map(({ time }) => time - NOW);

  it("is the answer with what was told since, and nothing of before the axis", () => {
    expect(times(0)).toEqual([-5, 2, 4, 6, 8, 12, 14]);
    expect(lines(fetched("a", 1, 999)).get("a")).toHaveLength(1);
  });

  it("is of a long axis one in each step", () => expect(times(10)).toEqual([-5, 2, 8, 14]));
});

describe("the rows", () => {
  it("are the server and then the clients, with the newest of each", () => {
    const told = new Map([["client-2", [usage(998), usage(999)]]]);
    const rows = rowsOf(
      linesOf([fetched(null, 999), fetched("client-10", 999), fetched("client-2", 997)], NO_USAGES, 0, 0),
      told,
      [client("client-2"), client("client-10")],
      NOW,
    );
    expect(rows.map(({ name }) => name)).toEqual(["server", "client-2", "client-10"]);
    expect(rows[1]?.newest?.time).toBe(999);
    expect(rows.map(({ why }) => why)).toEqual([null, null, null]);
  });

  it("say why a value is not of now", () => {
    const clients = [client("a"), client("old"), client("lost", { state: "lost" })];
    const known = lines(fetched(null, 999), fetched("a", 960), fetched("lost", 990));
    const rows = rowsOf(known, NO_USAGES, clients, NOW);
    expect(Object.fromEntries(rows.map(({ name, why }) => [name, why]))).toEqual({
      server: null,
      a: "last heard of 40 s ago",
      lost: "not connected",
      old: "tells nothing of its machine",
    });
  });

  it("say that a site has chosen to tell nothing", () => {
    const clients = [client("quiet", { withholds_usage: true })];
    const rows = rowsOf(lines(), NO_USAGES, clients, NOW);
    expect(rows.map(({ name, why }) => [name, why])).toEqual([
      ["server", "not measured yet"],
      ["quiet", "its site does not let it tell what its machine is used for"],
    ]);
  });

  it("leave out who is away and was not heard in the window, and a client may be called server", () => {
    const clients = [client("away", { state: "lost" }), client("server")];
    const rows = rowsOf(lines(fetched("away", 1), fetched("server", 999)), NO_USAGES, clients, NOW);
    expect(rows.map((row) => row.client)).toEqual([null, "server"]);
    expect(rows[0]?.why).toBe("not measured yet");
  });
});

describe("the lines", () => {
  it("are broken where nothing was heard, and stay in the field", () => {
    const usages = [usage(100), usage(110), usage(550, { cpu: 7 })];
    const path = (gap: number) => pathOf(usages, ({ cpu }) => cpu, { since: 100, span: 900, gap }, 1);
    expect(path(30)).toBe("M0.00 50.00L1.11 50.00M50.00 0.00");
    expect(path(440)).toBe("M0.00 50.00L1.11 50.00L50.00 0.00");
  });

  it("have one axis for all nodes where they are rates", () => {
    const [cpu, , , network] = columnsFor([]);
    if (cpu === undefined || network === undefined) throw new Error("a column is missing");
    const nodes = [[usage(1, { sent: 1e6 })], [usage(1, { received: 3e6 })]];
    expect(axisEnd(network, nodes)).toBe(3e6);
    expect(axisEnd(network, [])).toBe(10_000);
    expect(axisEnd(cpu, nodes)).toBe(1);
  });

  it("have an axis as long as what is known, in few steps; a long one is as long as it says", () => {
    const length = (...times: number[]): number =>
      lengthOf(EXTENTS["15m"], lines(fetched(null, ...times)), NOW);
    expect([length(), length(999), length(930), length(880), length(600), length(200, 999)]).toEqual([
      60, 60, 120, 120, 900, 900,
    ]);
    expect(lengthOf(EXTENTS["12h"], lines(fetched(null, 999)), NOW)).toBe(43_200);
  });

  it("go on by a pixel of a long axis at once, and break where two and a half points are missing", () => {
    expect([0, 0.5, 1].map((seconds) => endOf(EXTENTS["15m"], NOW + seconds))).toEqual([1000, 1000.5, 1001]);
    expect([961, 1000, 1008, 1009].map((now) => endOf(EXTENTS["12h"], now))).toEqual([
      1008, 1008, 1008, 1056,
    ]);
    expect([gapOf(0), gapOf(10), gapOf(60), gapOf(120)]).toEqual([30, 30, 150, 300]);
  });

  it("tell of GPUs where there is one", () => {
    const gpu = { busy: 0.25, memory_used: 1e9, memory_total: 4e9 };
    expect(columnsFor([[usage(1)]]).map(({ name }) => name)).not.toContain("GPU");
    const column = columnsFor([[usage(1)], [usage(1, { gpus: [gpu, { ...gpu, busy: 0.75 }] })]]).at(-1);
    expect(column?.values(usage(1, { gpus: [gpu] }))).toEqual([0.25, 0.25]);
    expect(column?.words(usage(1))).toBe("none");
  });
});

describe("a moment", () => {
  it("is the nearest one, if there is one near", () => {
    const usages = [usage(100), usage(110), usage(300)];
    expect(momentAt(usages, 106, 30)?.time).toBe(110);
    expect(momentAt(usages, 200, 30)).toBeUndefined();
    expect(momentAt(usages, 200, 150)?.time).toBe(110);
    expect(momentAt([], 200, 30)).toBeUndefined();
  });

  it("lies in a round, or in none", () => {
    const rounds = [
      round(1, { started_at: 100, duration_s: 10 }),
      round(2, { started_at: 120, duration_s: null, complete: false }),
    ];
    expect([105, 115, 500].map((time) => roundAtTime(rounds, time))).toEqual([1, null, 2]);
    expect(
      bandsOf(rounds, { since: 100, span: 900, gap: 30 }).map(({ round: number, from }) => [number, from]),
    ).toEqual([
      [1, 0],
      [2, (20 / 900) * 100],
    ]);
    expect(bandsOf(rounds, { since: 115, span: 885, gap: 30 }).map((band) => band.round)).toEqual([2]);
  });

  it("has no rounds behind it where they are too many to tell apart", () => {
    const axis = { since: 0, span: 900, gap: 30 };
    const many = (count: number) =>
      bandsOf(
        Array.from({ length: count }, (_, at) => round(at, { started_at: at, duration_s: 1 })),
        axis,
      );
    expect([many(300).length, many(301).length]).toEqual([300, 0]);
  });
});
