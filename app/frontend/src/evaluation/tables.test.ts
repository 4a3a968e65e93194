import { describe, expect, it } from "vitest";
import { result, round } from "../testing/fixtures";
import {
  classNames,
  classRows,
  confusionRows,
  evaluatedRounds,
  heat,
  inOrder,
  labelRows,
  neighbours,
  pickRound,
  spreadRounds,
  unusualWords,
} from "./tables";

const confusion = [
  [9, 1],
  [0, 0],
];
const evaluated = [0, 2, 5].map((number) => round(number, { confusion, class_accuracy: [0.9, null] }));

describe("the round that is shown", () => {
  it("is the newest that was evaluated, unless another is wanted", () => {
    const rounds = [...evaluated, round(6, { complete: false })];
    expect(evaluatedRounds(rounds).map((each) => each.round)).toEqual([0, 2, 5]);
    expect(pickRound(evaluated, null)?.round).toBe(5);
    expect(pickRound(evaluated, 2)?.round).toBe(2);
    expect(pickRound(evaluated, 3)?.round).toBe(5);
    expect(pickRound([], 3)).toBeNull();
  });

  it("has neighbours to go to", () => {
    expect(neighbours(evaluated, 2)).toEqual({ before: 0, after: 5 });
    expect(neighbours(evaluated, 0)).toEqual({ before: null, after: 2 });
    expect(neighbours(evaluated, 5)).toEqual({ before: 2, after: null });
    expect(neighbours([], null)).toEqual({ before: null, after: null });
  });
});

describe("confusionRows", () => {
  const [cats, dogs] = confusionRows(evaluated[0] ?? round(0), ["cat", "dog"]);

  it("tell for each class what its samples were taken for", () => {
    expect(cats?.cells?.().map(({ count, share, wrong }) => [count, share, wrong])).toEqual([
      [9, 0.9, false],
      [1, 0.1, true],
    ]);
    expect(cats?.cells?.()[1]?.title).toBe("1 of 10 samples of cat taken for dog (10.0 %)");
    expect(cats?.accuracy).toBe(0.9);
  });

  it("have no share and no accuracy of a class without samples", () => {
    expect(dogs).toMatchObject({ accuracy: null, noAccuracy: "the test set has no sample of it" });
    expect(dogs?.cells?.().map((cell) => cell.share)).toEqual([0, 0]);
    expect(dogs?.cells?.()[0]?.title).toBe("0 of 0 samples of dog taken for cat");
  });
});

describe("labelRows", () => {
  it("put a client's labels beside its accuracy in the round", () => {
    const [row] = labelRows(
      ["a"],
      new Map([["a", [30, 10]]]),
      round(3, { per_client: { a: result({ accuracy: 0.7 }) } }),
      ["cat", "dog"],
    );
    expect(row?.cells?.().map(({ count, share }) => [count, share])).toEqual([
      [30, 0.75],
      [10, 0.25],
    ]);
    expect(row?.cells?.()[1]?.title).toBe("10 of 40 training samples of a are dog (25.0 %)");
    expect(row?.accuracy).toBe(0.7);
  });

  it("say why something is missing", () => {
    const [row] = labelRows(["a"], new Map(), round(3), []);
    expect(row).toMatchObject({
      cells: null,
      missing: "label counts: kept private by its site, or not reported yet",
      noAccuracy: "did not evaluate in round 3",
    });
    expect(labelRows(["a"], new Map(), undefined, [])[0]?.noAccuracy).toBe("no round yet");
    const [kept] = labelRows(["a"], new Map(), round(3), [], "count", "not told: a private run");
    expect(kept).toMatchObject({ missing: "not told: a private run", noAccuracy: "not told: a private run" });
  });
});

describe("the clients by how unusual their labels are", () => {
  const labels = new Map([
    ["client-1", [50, 50]],
    ["client-2", [0, 20]],
    ["client-10", [55, 45]],
  ]);
  const rows = labelRows(["client-1", "client-2", "client-3", "client-10"], labels, round(3), ["cat", "dog"]);

  it("begin with the one that is most unlike the whole, and end with those that tell nothing", () => {
    expect(inOrder(rows, "unusual first").map(({ id }) => id)).toEqual([
      "client-2",
      "client-10",
      "client-1",
      "client-3",
    ]);
    expect(inOrder(rows, "by name").map(({ id }) => id)).toEqual([
      "client-1",
      "client-2",
      "client-3",
      "client-10",
    ]);
  });

  it("are told in words", () => {
    expect(rows.map(({ mix }) => mix)).toEqual(["like the whole", "100.0 % are dog", null, "like the whole"]);
    expect(unusualWords(rows)).toBe("1 of 3 clients has unusual data, most of all client-2: 100.0 % are dog");
    expect(unusualWords(rows.filter(({ id }) => id === "client-1"))).toBe(
      "1 client, all with much the same mix of labels",
    );
    expect(unusualWords([])).toBeNull();
  });

  it("show shares where these are wanted, and little is not nothing", () => {
    const [row] = labelRows(["a"], new Map([["a", [999, 1]]]), undefined, [], "share");
    expect(row?.cells?.().map(({ text }) => text)).toEqual(["100 %", "<1 %"]);
  });
});

describe("classes by round", () => {
  it("have their accuracy in each round, and no number where there was no sample", () => {
    const [cats, dogs] = classRows(evaluated, evaluated[1] ?? round(0), ["cat", "dog"]);
    expect(cats?.cells?.().map(({ text }) => text)).toEqual(["90", "90", "90"]);
    expect(cats?.accuracy).toBe(0.9);
    expect(dogs?.cells?.()[0]).toMatchObject({
      text: "–",
      title: "the test set of round 0 has no sample of dog",
    });
  });

  it("are drawn of as many rounds as fit, the chosen one among them", () => {
    const many = Array.from({ length: 500 }, (_, number) => round(number, { confusion }));
    const shown = spreadRounds(many, 137, 20).map((each) => each.round);
    expect(shown).toHaveLength(20);
    expect(shown).toContain(137);
    expect([shown[0], shown.at(-1)]).toEqual([0, 499]);
    expect(shown).toEqual(shown.toSorted((a, b) => a - b));
    expect(spreadRounds(evaluated, null, 20)).toEqual(evaluated);
  });
});

describe("classNames", () => {
  it("number the labels that have no name", () => {
    expect(classNames(["cat"], 3)).toEqual(["cat", "1", "2"]);
    expect(classNames(["cat", "dog"], 0)).toEqual(["cat", "dog"]);
  });
});

describe("heat", () => {
  it("leaves nothing blank and makes little visible", () => {
    expect(heat(0)).toBe(0);
    expect(heat(0.001)).toBeGreaterThan(4);
    expect(heat(1)).toBe(36);
  });
});
