/** Many clients in one picture: their median, with a band of the middle half and one of all. Pure functions. */
import type { Round } from "../api/types";
import { keyOf, type Metric } from "./metrics";
import { quantile } from "./scale";
import { clientValue, type Source } from "./series";

/** From so many clients on, a line for each is no picture any more. */
export const FEWEST_FOR_BAND = 10;

/** The values of all clients at one round. */
export interface Spread {
  round: number;
  clients: number;
  min: number;
  q1: number;
  median: number;
  q3: number;
  max: number;
}

/** A record does not change: what was counted once of a round holds as long as it is there. */
const KNOWN = new WeakMap<Round, Map<string, Spread | null>>();

/** Where at least two clients have a value, ascending; without the round that goes on, whose clients come one by one. */
export function bandOf(rounds: readonly Round[], metric: Metric, source: Source): Spread[] {
  return rounds.flatMap((round) => {
    const spread = round.complete ? spreadAt(round, metric, source) : null;
    return spread !== null && spread.clients > 1 ? [spread] : [];
  });
}

/** The most clients that have a value in one round. */
export function mostClients(rounds: readonly Round[], metric: Metric, source: Source): number {
  return rounds.reduce((most, round) => Math.max(most, spreadAt(round, metric, source)?.clients ?? 0), 0);
}

function spreadAt(round: Round, metric: Metric, source: Source): Spread | null {
  const known = KNOWN.get(round) ?? new Map<string, Spread | null>();
  KNOWN.set(round, known);
  const key = `${source} ${keyOf(metric)}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const spread = spreadOf(round, metric, source);
  known.set(key, spread);
  return spread;
}

/** As the server tells it of many clients, whose parts the page may not have; else by the parts. */
function spreadOf(round: Round, metric: Metric, source: Source): Spread | null {
  const told = round.spread[numberOf(metric, source)];
  if (told !== undefined) {
    const { count, min, q1, median, q3, max } = told;
    return { round: round.round, clients: count, min, q1, median, q3, max };
  }
  const values: number[] = [];
  for (const result of Object.values(round.per_client)) {
    const value = clientValue(result, metric, source);
    if (value !== null && Number.isFinite(value)) values.push(value);
  }
  if (values.length === 0) return null;
  values.sort((a, b) => a - b);
  const at = (share: number): number => quantile(values, share);
  return {
    round: round.round,
    clients: values.length,
    min: at(0),
    q1: at(0.25),
    median: at(0.5),
    q3: at(0.75),
    max: at(1),
  };
}

/** The name that `clientValue` has among the spreads. */
function numberOf(metric: Metric, source: Source): string {
  return metric.kind !== "number" && source === "training" ? "train_loss" : keyOf(metric);
}
