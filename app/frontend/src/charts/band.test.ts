import { describe, expect, it } from "vitest";
import { result, round } from "../testing/fixtures";
import { bandOf, mostClients } from "./band";

const accuracy = { kind: "accuracy" } as const;
const withValues = (number: number, values: (number | null)[], complete = true) =>
  round(number, {
    complete,
    per_client: Object.fromEntries(values.map((value, at) => [`c-${at}`, result({ accuracy: value })])),
  });

describe("bandOf", () => {
  it("has the median, the quartiles and the ends of each round", () => {
    expect(bandOf([withValues(3, [0.5, 0.1, 0.3, null, 0.2, 0.4])], accuracy, "global")).toEqual([
      { round: 3, clients: 5, min: 0.1, q1: 0.2, median: 0.3, q3: 0.4, max: 0.5 },
    ]);
  });

  it("is what the server tells of many clients, also where their parts are not kept", () => {
    const told = { count: 1000, min: 0.1, q1: 0.2, median: 0.3, q3: 0.4, max: 0.5 };
    const without = round(3, { per_client: {}, spread: { accuracy: told, train_loss: { ...told, max: 9 } } });
    const { count: clients, ...numbers } = told;
    expect(bandOf([without], accuracy, "global")).toEqual([{ round: 3, clients, ...numbers }]);
    expect(bandOf([without], { kind: "loss" }, "training")[0]?.max).toBe(9);
    expect(mostClients([without], accuracy, "global")).toBe(1000);
  });

  it("is what the server tells also where the parts of some clients alone are here, and of every round the same clients", () => {
    const told = { count: 1000, min: 0.1, q1: 0.2, median: 0.3, q3: 0.4, max: 0.5 };
    const some = { picked: result({ accuracy: 0.9 }), other: result({ accuracy: 0.95 }) };
    const rounds = [
      round(1, { per_client: {}, spread: { accuracy: told } }),
      round(2, { per_client: some, spread: { accuracy: { ...told, median: 0.35 } } }),
    ];
    expect(bandOf(rounds, accuracy, "global").map(({ clients, median }) => [clients, median])).toEqual([
      [1000, 0.3],
      [1000, 0.35],
    ]);
    expect(mostClients(rounds, accuracy, "global")).toBe(1000);
  });

  it("waits for the end of a round, and has none of a single client", () => {
    const rounds = [withValues(0, []), withValues(1, [0.5]), withValues(2, [0.1, 0.9], false)];
    expect(bandOf(rounds, accuracy, "global")).toEqual([]);
  });
});

describe("mostClients", () => {
  it("counts those with a value in the fullest round", () =>
    expect(mostClients([withValues(1, [1, null]), withValues(2, [1, 0.5])], accuracy, "global")).toBe(2));
});
