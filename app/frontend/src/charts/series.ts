/** From rounds to the lines of a chart. Pure functions. */
import type { ClientRound, Round } from "../api/types";
import { fewSamples } from "../clients/held-out";
import { perRound } from "../runs/per-round";
import { type Metric, SERVER } from "./metrics";

/**
 * What the main line shows. Of accuracy and loss: the global model on the server's test set; where nobody evaluates
 * that, the mean of the clients, weighted by their samples; where they do not evaluate either, the mean of their
 * training. Of what was spent: the most that a client has. Of another app's number: what the ServerApp computed, or the clients' numbers as they were aggregated.
 */
export type Source = "largest" | "global" | "mean" | "training" | "server" | "aggregate";

/** [round, value] */
export type Point = [number, number];

export interface Line {
  /** Client id, or what the main line shows. */
  name: string;
  main: boolean;
  /** Ascending, only where there is a value. */
  points: Point[];
  /** Round → on how few samples the value was evaluated, where these are so few that it says little. */
  few?: ReadonlyMap<number, number>;
}

const MAIN_NAMES: Record<Source, string> = {
  largest: "largest",
  global: "global",
  mean: "mean",
  training: "mean",
  server: "server",
  aggregate: "aggregate",
};

/** Another app (`foreign`) may have no global model to evaluate; the built-in one always does. */
export function sourceOf(rounds: readonly Round[], metric: Metric, foreign: boolean): Source {
  if (metric.kind === "number") return metric.stage === SERVER ? "server" : "aggregate";
  const { kind } = metric;
  if (kind === "epsilon") return "largest";
  if (kind === "train_loss") return "training";
  if (!foreign || rounds.some((round) => round[kind] !== null)) return "global";
  if (kind === "accuracy" || rounds.some((round) => round.client_loss !== null)) return "mean";
  // Not before a round has ended without it: an evaluation comes after the training.
  const trainsOnly = rounds.some((round) => round.complete && round.train_loss !== null);
  return trainsOnly ? "training" : "mean";
}

function mainValue(round: Round, metric: Metric, source: Source): number | null {
  if (metric.kind === "number") return round.metrics[metric.stage]?.[metric.name] ?? null;
  if (metric.kind === "epsilon") return largestEpsilon(round);
  switch (source) {
    case "mean":
      return metric.kind === "accuracy" ? round.client_accuracy : round.client_loss;
    case "training":
      return round.train_loss;
    default:
      return round[metric.kind];
  }
}

/** Those of different clients are never added up: each speaks of its own data. */
function largestEpsilon({ per_client, spread }: Round): number | null {
  if (spread.epsilon !== undefined) return spread.epsilon.max;
  const told = Object.values(per_client).flatMap(({ epsilon }) => (epsilon === null ? [] : [epsilon]));
  return told.length > 0 ? Math.max(...told) : null;
}

export function clientValue(result: ClientRound, metric: Metric, source: Source): number | null {
  if (metric.kind === "number") return result.stages[metric.stage]?.[metric.name] ?? null;
  return source === "training" ? result.train_loss : result[metric.kind];
}

/** The points of the main line. */
export function mainPoints(rounds: readonly Round[], metric: Metric, source: Source): Line["points"] {
  return rounds.flatMap((round) => pointOf(round.round, mainValue(round, metric, source)));
}

export function mainLine(rounds: readonly Round[], metric: Metric, source: Source): Line {
  return { name: MAIN_NAMES[source], main: true, points: mainPoints(rounds, metric, source) };
}

/** The line of one client, as far as it has values. */
export function clientLine(rounds: readonly Round[], metric: Metric, source: Source, id: string): Line {
  const points: Point[] = [];
  const few = new Map<number, number>();
  for (const { round, per_client } of rounds) {
    const result = per_client[id];
    const value = result === undefined ? null : clientValue(result, metric, source);
    if (result === undefined || value === null || !Number.isFinite(value)) continue;
    points.push([round, value]);
    const samples = metric.kind === "accuracy" ? fewSamples(result) : null;
    if (samples !== null) few.set(round, samples);
  }
  return few.size > 0 ? { name: id, main: false, points, few } : { name: id, main: false, points };
}

/** The main line last, so that it is drawn over the others; clients in the order given, only those with a value. */
export function linesOf(
  rounds: readonly Round[],
  metric: Metric,
  source: Source,
  clientOrder: readonly string[],
): Line[] {
  const ids = new Set(clientOrder);
  for (const { per_client } of rounds) for (const id of Object.keys(per_client)) ids.add(id);
  const lines = [...ids].map((id) => clientLine(rounds, metric, source, id));
  return [...lines.filter(({ points }) => points.length > 0), mainLine(rounds, metric, source)];
}

/** The point of a value, or none where there is no value. */
function pointOf(round: number, value: number | null): Line["points"] {
  return value !== null && Number.isFinite(value) ? [[round, value]] : [];
}

/** Where the cursor can stand: wherever any of the lines has a point, ascending. */
export function stopsIn(lines: readonly Line[]): number[] {
  return [...new Set(lines.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
}

/** Who was late, by round: they have no point in it, and the hover says why. */
export function lateClients(rounds: readonly Round[]): ReadonlyMap<number, readonly string[]> {
  const late = rounds.map((round) => [round.round, lateIn(round)] as const);
  return new Map(late.filter(([, ids]) => ids.length > 0));
}

const lateIn = perRound(({ per_client }) =>
  Object.entries(per_client).flatMap(([id, { late }]) => (late ? [id] : [])),
);

/** Last round on the axis: the whole run if it is short, else (or without a known end) some room ahead. */
export function axisEnd(numRounds: number | null, newest: number): number {
  if (numRounds !== null && numRounds <= 50) return numRounds;
  const wanted = Math.max(numRounds === null ? 10 : 20, newest * 1.25);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const nice = [1, 2, 3, 5, 7.5, 10].find((step) => step * power >= wanted) ?? 10;
  return Math.min(numRounds ?? Infinity, nice * power);
}

/**
 * Every value at one round, best first; of another app's number the highest first, since nobody knows what is good.
 * With `asOf`, also the last one before it of a line that has none there.
 */
export function valuesAt(
  lines: readonly Line[],
  round: number,
  metric: Metric,
  asOf = false,
): { line: Line; value: number }[] {
  const sign = metric.kind === "accuracy" || metric.kind === "number" ? -1 : 1;
  return lines
    .flatMap((line) => {
      const point = asOf
        ? line.points.findLast(([at]) => at <= round)
        : line.points.find(([at]) => at === round);
      return point === undefined ? [] : [{ line, value: point[1] }];
    })
    .sort((a, b) => Number(b.line.main) - Number(a.line.main) || sign * (a.value - b.value));
}
