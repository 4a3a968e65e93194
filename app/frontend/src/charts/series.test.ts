import { describe, expect, it } from "vitest";
import type { Round } from "../api/types";
import { result, round as anyRound } from "../testing/fixtures";
import { axisEnd, lateClients, linesOf, mainLine, sourceOf, stopsIn, valuesAt } from "./series";

const accuracy = { kind: "accuracy" } as const;
const loss = { kind: "loss" } as const;
const auc = (stage: string) => ({ kind: "number", stage, name: "auc" }) as const;

function round(
  number: number,
  share: number | null,
  clients: Record<string, number | null>,
  changes: Partial<Round> = {},
): Round {
  return anyRound(number, {
    complete: share !== null,
    accuracy: share,
    per_client: Object.fromEntries(
      Object.entries(clients).map(([id, value]) => [id, result({ accuracy: value })]),
    ),
    ...changes,
  });
}

describe("what was spent", () => {
  it("is the most that a client has, and never their sum", () => {
    const epsilon = { kind: "epsilon" } as const;
    const spent = [
      anyRound(1, { per_client: { a: result({ epsilon: 1 }), b: result({ epsilon: 2 }) } }),
      anyRound(2, { per_client: { a: result({ epsilon: 3 }), b: result() } }),
    ];
    const source = sourceOf(spent, epsilon, false);
    expect(linesOf(spent, epsilon, source, ["a", "b"])).toEqual([
      {
        name: "a",
        main: false,
        points: [
          [1, 1],
          [2, 3],
        ],
      },
      { name: "b", main: false, points: [[1, 2]] },
      {
        name: "largest",
        main: true,
        points: [
          [1, 2],
          [2, 3],
        ],
      },
    ]);
  });
});

const rounds = [round(0, 0.1, {}), round(1, 0.5, { b: 0.4, a: 0.6 }), round(2, null, { a: 0.7, b: null })];
/** As another app has them: nobody evaluates a global model. */
const foreign = [
  round(
    1,
    null,
    { a: 0.5, b: 0.7 },
    { complete: true, client_accuracy: 0.6, client_loss: 0.9, train_loss: 1.2 },
  ),
  anyRound(2, {
    client_accuracy: 0.8,
    client_loss: 0.4,
    train_loss: 0.7,
    per_client: { a: result({ accuracy: 0.8 }), b: result({ late: true }) },
  }),
];

describe("what many clients have spent", () => {
  it("is told by the server where their parts are not kept", () => {
    const told = { count: 1000, min: 1, q1: 1, median: 2, q3: 3, max: 6 };
    const rounds = [anyRound(1, { per_client: {}, spread: { epsilon: told } })];
    expect(mainLine(rounds, { kind: "epsilon" }, "largest").points).toEqual([[1, 6]]);
  });
});

describe("sourceOf", () => {
  it("is the global model of the built-in app, also before its first evaluation", () => {
    expect(sourceOf([], accuracy, false)).toBe("global");
    expect(sourceOf(foreign, loss, false)).toBe("global");
  });

  it("is the clients' mean where another app evaluates no global model", () => {
    expect(sourceOf([], accuracy, true)).toBe("mean");
    expect(sourceOf(foreign, accuracy, true)).toBe("mean");
    expect(sourceOf(foreign, loss, true)).toBe("mean");
    expect(sourceOf(rounds, accuracy, true)).toBe("global");
  });

  it("is the training's loss once a round has ended without any evaluation", () => {
    const trained = { train_loss: 1, client_loss: null };
    expect(sourceOf([anyRound(1, { ...trained, complete: false })], loss, true)).toBe("mean");
    expect(sourceOf([anyRound(1, trained)], loss, true)).toBe("training");
  });
});

describe("linesOf", () => {
  it("draws one line per client in the order given and the global line last", () => {
    expect(linesOf(rounds, accuracy, "global", ["a", "b", "c"])).toEqual([
      {
        name: "a",
        main: false,
        points: [
          [1, 0.6],
          [2, 0.7],
        ],
      },
      { name: "b", main: false, points: [[1, 0.4]] },
      {
        name: "global",
        main: true,
        points: [
          [0, 0.1],
          [1, 0.5],
        ],
      },
    ]);
  });

  it("keeps an empty main line, so that the chart exists before round 0", () => {
    expect(linesOf([], loss, "global", [])).toEqual([{ name: "global", main: true, points: [] }]);
  });

  it("draws the mean of the clients, and no point of who was late", () => {
    expect(linesOf(foreign, accuracy, "mean", ["a", "b"])).toEqual([
      {
        name: "a",
        main: false,
        points: [
          [1, 0.5],
          [2, 0.8],
        ],
      },
      { name: "b", main: false, points: [[1, 0.7]] },
      {
        name: "mean",
        main: true,
        points: [
          [1, 0.6],
          [2, 0.8],
        ],
      },
    ]);
  });

  it("draws the training where that is all there is", () => {
    const trained = [anyRound(1, { train_loss: 1.5, per_client: { a: result({ train_loss: 1.4 }) } })];
    expect(linesOf(trained, loss, "training", []).map((line) => line.points)).toEqual([
      [[1, 1.4]],
      [[1, 1.5]],
    ]);
  });
});

describe("the lines of an app's own number", () => {
  const both = anyRound(1, {
    metrics: { train: { auc: 0.5 }, evaluate: { auc: 0.75 }, server: { auc: 0.8 } },
    per_client: {
      a: result({ stages: { train: { auc: 0.4 }, evaluate: { auc: 0.7 } } }),
      b: result({ stages: { train: { auc: 0.6 } } }),
    },
  });
  const linesOfAuc = (stage: string) =>
    linesOf([both, anyRound(2)], auc(stage), sourceOf([both], auc(stage), true), []);

  it("are of one stage of each client, and as these were aggregated", () => {
    expect(linesOfAuc("train")).toEqual([
      { name: "a", main: false, points: [[1, 0.4]] },
      { name: "b", main: false, points: [[1, 0.6]] },
      { name: "aggregate", main: true, points: [[1, 0.5]] },
    ]);
    expect(linesOfAuc("evaluate").map(({ name, points }) => [name, points])).toEqual([
      ["a", [[1, 0.7]]],
      ["aggregate", [[1, 0.75]]],
    ]);
  });

  it("are the server's alone for what the ServerApp computed", () => {
    expect(linesOfAuc("server")).toEqual([{ name: "server", main: true, points: [[1, 0.8]] }]);
  });
});

describe("lateClients", () => {
  it("names who was late in which round", () => expect([...lateClients(foreign)]).toEqual([[2, ["b"]]]));
});

describe("valuesAt", () => {
  it("lists the global value first, then the clients from best to worst", () => {
    const names = valuesAt(linesOf(rounds, accuracy, "global", ["b", "a"]), 1, accuracy).map(
      ({ line }) => line.name,
    );
    expect(names).toEqual(["global", "a", "b"]);
  });

  it("leaves out who has no value at that round", () => {
    expect(valuesAt(linesOf(rounds, accuracy, "global", []), 2, accuracy).map(({ value }) => value)).toEqual([
      0.7,
    ]);
  });
});

describe("lines whose points stand at places of their own", () => {
  const fast = {
    name: "fast",
    main: false,
    points: [
      [1, 0.1],
      [2, 0.2],
    ] as [number, number][],
  };
  const slow = { name: "slow", main: false, points: [[1.5, 0.3]] as [number, number][] };

  it("stop the cursor wherever one of them has a point", () =>
    expect(stopsIn([fast, slow])).toEqual([1, 1.5, 2]));

  it("count with their last value before a place, if that is asked for", () => {
    const at = (place: number, asOf?: boolean) =>
      valuesAt([fast, slow], place, accuracy, asOf).map(({ line, value }) => [line.name, value]);
    expect(at(2)).toEqual([["fast", 0.2]]);
    expect(at(2, true)).toEqual([
      ["slow", 0.3],
      ["fast", 0.2],
    ]);
    expect(at(1, true)).toEqual([["fast", 0.1]]);
  });
});

describe("axisEnd", () => {
  it.each([
    [10, 3, 10],
    [50, 0, 50],
    [1000, 0, 20],
    [1000, 100, 200],
    [1000, 990, 1000],
    [10000, 41, 75],
    [null, 0, 10],
    [null, 9, 20],
    [null, 300, 500],
  ])("of %s rounds at round %d is %d", (total, newest, end) => expect(axisEnd(total, newest)).toBe(end));
});
