/** How long a run goes on, from how long its rounds took. Pure functions. */
import type { Round, Run } from "../api/types";
import { duration } from "../format/format";

/** The newest rounds say most about those to come. */
const LOOK_BACK = 20;
const FEWEST = 2;
/** Four of five times the end is within so many standard deviations. */
const DEVIATIONS = 1.28;

export interface Remaining {
  /** Seconds. */
  likely: number;
  low: number;
  high: number;
}

/**
 * Seconds until the run's last round has ended, if rounds go on as the newest did; null: fewer than two have ended, or
 * nobody knows how many there are. The deviation is that of a sum of rounds whose mean is itself a guess from a few.
 */
export function remainingOf(run: Run, rounds: readonly Round[], now: number): Remaining | null {
  const over = rounds.filter(({ round, complete }) => round > 0 && complete);
  const took = over.slice(-LOOK_BACK).flatMap(({ duration_s }) => duration_s ?? []);
  const last = over.at(-1);
  if (run.num_rounds === null || took.length < FEWEST || last === undefined) return null;
  const left = run.num_rounds - last.round;
  if (left <= 0) return null;
  const mean = took.reduce((sum, seconds) => sum + seconds, 0) / took.length;
  const variance = took.reduce((sum, seconds) => sum + (seconds - mean) ** 2, 0) / (took.length - 1);
  const current = rounds.find(({ round, complete }) => round > last.round && !complete);
  const since = current === undefined ? 0 : Math.min(mean, Math.max(0, now - current.started_at));
  const likely = left * mean - since;
  const off = DEVIATIONS * Math.sqrt(variance * (left + left ** 2 / took.length));
  return { likely, low: Math.max(0, likely - off), high: likely + off };
}

/** "about 0:41 left (0:35–0:55)"; without the bounds where they read the same. */
export function remainingWords({ likely, low, high }: Remaining): string {
  const [about, from, to] = [duration(likely), duration(low), duration(high)];
  return from === to ? `about ${about} left` : `about ${about} left (${from}–${to})`;
}

/** Why the time that is left is not known, although there are rounds left; null: nothing is to be said. */
export function notRemaining({ state, num_rounds, round }: Run): string | null {
  if (num_rounds === null || round >= num_rounds) return null;
  if (state === "paused") return "the run is paused: nobody knows when it goes on";
  if (state === "waiting") return "the run waits: nobody knows for how long";
  return null;
}
