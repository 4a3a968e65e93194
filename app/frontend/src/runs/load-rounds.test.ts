import { expect, describe, it, vi } from "vitest";
import type { RoundsWanted } from "../api/requests";
import type { RoundList } from "../api/types";
import { run } from "../testing/fixtures";
import { loadRounds } from "./load-rounds";

const { asked, server } = vi.hoisted(() => ({ asked: [] as RoundsWanted[], server: { rounds: 0 } }));

vi.mock("../api/requests", async () => {
  const fixtures = await import("../testing/fixtures");
  return {
    fetchRounds: (_: string, wanted: RoundsWanted): Promise<RoundList> => {
      asked.push(wanted);
      const left = Array.from({ length: server.rounds - wanted.after }, (_, at) => wanted.after + 1 + at);
      const rounds = left.slice(0, wanted.limit).map((number) => fixtures.round(number));
      return Promise.resolve({ rounds, more: left.length > wanted.limit });
    },
  };
});

/** What is asked for when the server has the rounds 0 to `rounds` of so many clients. */
async function askedFor(clients: number, rounds: number): Promise<RoundsWanted[]> {
  asked.length = 0;
  server.rounds = rounds;
  const ids = Array.from({ length: clients }, (_, at) => `client-${at + 1}`);
  const ends: boolean[] = [];
  await loadRounds(run({ id: "aa", round: rounds, clients: ids }), (_, areAll) => ends.push(areAll));
  expect(ends.filter(Boolean)).toHaveLength(1);
  expect(ends.at(-1)).toBe(true);
  return asked;
}

describe("the rounds of a run", () => {
  it("are asked for in pieces of which each is read in no time", async () => {
    const wanted = await askedFor(100, 60);
    expect(wanted.map(({ after }) => after)).toEqual([-1, 24, 49]);
    expect(wanted.every(({ limit, clients }) => limit === 25 && clients === undefined)).toBe(true);
  });

  it("come without the clients' parts where these are too many, but for the newest", async () => {
    const wanted = await askedFor(1000, 999);
    const told = wanted.filter(({ clients }) => clients?.length === 0);
    const whole = wanted.filter(({ clients }) => clients === undefined);
    expect(told.map(({ after }) => after)).toEqual([-1, 249, 499, 749]);
    expect(whole[0]?.after).toBe(979);
    expect(whole).toHaveLength(10);
  });

  it("that has none yet are asked for once", async () => {
    expect(await askedFor(0, -1)).toHaveLength(1);
  });
});
