/** Where the rounds stand on the axis to the right. Pure functions. */
import type { Round, Run } from "../api/types";
import { axisEnd } from "./series";
import type { XKind } from "./view";

/** A round on the axis, and back. */
export interface Places {
  kind: XKind;
  /** Round number, seconds since the run's start, or Unix seconds; null: the round has no place there (yet). */
  xOf: (round: number) => number | null;
  roundOf: (x: number) => number | null;
  min: number;
  max: number;
}

/** Each round at its number, up to `end`. */
export function byRound(end: number): Places {
  return {
    kind: "round",
    xOf: (round) => round,
    roundOf: (x) => (Number.isInteger(x) ? x : null),
    min: 0,
    max: end,
  };
}

/** The rounds that have a place, ascending: where keys can take the cursor. */
export function stopsOf(rounds: readonly Pick<Round, "round">[], { xOf }: Places): number[] {
  return rounds.map(({ round }) => round).filter((round) => xOf(round) !== null);
}

/** What of a run says where its rounds stand. */
export type Course = Pick<Run, "num_rounds" | "started_at" | "created_at">;

/** By time, a round is where it ended, as its values were known then; one that goes on has no place yet. */
export function placesOf(kind: XKind, run: Course | null, rounds: readonly Round[]): Places {
  if (kind === "round")
    return byRound(axisEnd(run === null ? 10 : run.num_rounds, rounds.at(-1)?.round ?? 0));
  const first = rounds[0]?.started_at ?? Infinity;
  // The first evaluation may begin before the run is said to.
  const begun = Math.min(run?.started_at ?? run?.created_at ?? Infinity, first);
  const start = Number.isFinite(begun) ? begun : 0;
  const from = kind === "elapsed" ? start : 0;
  const places = new Map<number, number>();
  const back = new Map<number, number>();
  for (const { round, started_at, duration_s } of rounds) {
    if (duration_s === null) continue;
    places.set(round, started_at + duration_s - from);
    back.set(started_at + duration_s - from, round);
  }
  const last = Math.max(start - from, ...places.values());
  return {
    kind,
    xOf: (round) => places.get(round) ?? null,
    roundOf: (x) => back.get(x) ?? null,
    min: start - from,
    max: last > start - from ? last : start - from + 1,
  };
}
