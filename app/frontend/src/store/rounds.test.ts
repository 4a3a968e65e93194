import { describe, expect, it } from "vitest";
import type { Round } from "../api/types";
import { result, round } from "../testing/fixtures";
import { PARTS_KEPT, type Rounds, withFetched, withRound } from "./rounds";

const CLIENTS = 1000;
const spread = { accuracy: { count: CLIENTS, min: 0, q1: 0, median: 0, q3: 0, max: 0 } };
const part = result();
const parts = Object.fromEntries(Array.from({ length: CLIENTS }, (_, at) => [`client-${at + 1}`, part]));
const crowded = (number: number, changes: Partial<Round> = {}): Round =>
  round(number, { per_client: parts, spread, ...changes });
const partsOf = (rounds: Rounds): number =>
  rounds.reduce((sum, { per_client }) => sum + Object.keys(per_client).length, 0);

describe("the rounds of a run with many clients", () => {
  it("keep the parts of the newest, and of those before their spread", () => {
    let rounds: Rounds = [];
    for (let number = 0; number <= 150; number += 1) rounds = withRound(rounds, crowded(number));
    expect(rounds).toHaveLength(151);
    expect(partsOf(rounds)).toBe(PARTS_KEPT);
    expect(rounds[0]).toMatchObject({ round: 0, per_client: {}, spread });
    expect(Object.keys(rounds.at(-1)?.per_client ?? {})).toHaveLength(CLIENTS);
  });

  it("keep parts that nothing would tell of any more", () => {
    const untold = Array.from({ length: 120 }, (_, number) => crowded(number, { spread: {} }));
    expect(partsOf(withFetched([], untold))).toBe(120 * CLIENTS);
  });

  it("are filled by what is fetched later with more parts", () => {
    const told = withFetched([], [crowded(1, { per_client: {} }), crowded(2, { per_client: {} })]);
    const whole = withFetched(told, [crowded(2)]);
    expect(whole.map(({ per_client }) => Object.keys(per_client).length)).toEqual([0, CLIENTS]);
    expect(withFetched(whole, [crowded(2, { per_client: {} })])[1]).toBe(whole[1]);
  });
});

describe("a round", () => {
  it("finds its place, wherever it is", () => {
    const rounds = [3, 1, 2, 0].map((number) => round(number)).reduce<Rounds>(withRound, []);
    expect(rounds.map((each) => each.round)).toEqual([0, 1, 2, 3]);
  });
});
