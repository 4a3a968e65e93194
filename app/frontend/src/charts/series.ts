/** From rounds to the lines of a chart. Pure functions. */
import type { ClientRound, Round } from "../api/types";
import { type Metric, SERVER } from "./metrics";

/**
 * What the main line shows. Of accuracy and loss: the global model on the server's test set; where nobody evaluates
 * that, the mean of the clients, weighted by their samples; where they do not evaluate either, the mean of their
 * training. Of what was spent: the most that a client has. Of another app's number: what the ServerApp computed, or the clients' numbers as they were aggregated.
 */
export type Source = "largest" | "global" | "mean" | "training" | "server" | "aggregate";

export interface Line {
  /** Client id, or what the main line shows. */
  name: string;
  main: boolean;
  /** [round, value], ascending, only where there is a value. */
  points: [number, number][];
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
function largestEpsilon({ per_client }: Round): number | null {
  const told = Object.values(per_client).flatMap(({ epsilon }) => (epsilon === null ? [] : [epsilon]));
  return told.length > 0 ? Math.max(...told) : null;
}

function clientValue(result: ClientRound, metric: Metric, source: Source): number | null {
  if (metric.kind === "number") return result.stages[metric.stage]?.[metric.name] ?? null;
  return source === "training" ? result.train_loss : result[metric.kind];
}

/** The points of the main line. */
export function mainPoints(rounds: readonly Round[], metric: Metric, source: Source): Line["points"] {
  return rounds.flatMap((round) => pointOf(round.round, mainValue(round, metric, source)));
}

/** The main line last, so that it is drawn over the others; clients in the order given, only those with a value. */
export function linesOf(
  rounds: readonly Round[],
  metric: Metric,
  source: Source,
  clientOrder: readonly string[],
): Line[] {
  const main: Line = { name: MAIN_NAMES[source], main: true, points: mainPoints(rounds, metric, source) };
  const clients = new Map<string, Line>(clientOrder.map((id) => [id, { name: id, main: false, points: [] }]));
  for (const round of rounds) {
    for (const [id, result] of Object.entries(round.per_client)) {
      const line = clients.get(id) ?? { name: id, main: false, points: [] };
      clients.set(id, line);
      line.points.push(...pointOf(round.round, clientValue(result, metric, source)));
    }
  }
  return [...clients.values(), main].filter((line) => line.main || line.points.length > 0);
}

/** The point of a value, or none where there is no value. */
function pointOf(round: number, value: number | null): Line["points"] {
  return value !== null && Number.isFinite(value) ? [[round, value]] : [];
}

/** Who was late, by round: they have no point in it, and the hover says why. */
export function lateClients(rounds: readonly Round[]): ReadonlyMap<number, readonly string[]> {
  const late = rounds.map(({ round, per_client }) => {
    const ids = Object.entries(per_client).flatMap(([id, result]) => (result.late ? [id] : []));
    return [round, ids] as const;
  });
  return new Map(late.filter(([, ids]) => ids.length > 0));
}

/** Last round on the axis: the whole run if it is short, else (or without a known end) some room ahead. */
export function axisEnd(numRounds: number | null, newest: number): number {
  if (numRounds !== null && numRounds <= 50) return numRounds;
  const wanted = Math.max(numRounds === null ? 10 : 20, newest * 1.25);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const nice = [1, 2, 3, 5, 7.5, 10].find((step) => step * power >= wanted) ?? 10;
  return Math.min(numRounds ?? Infinity, nice * power);
}

/** Every value at one round, best first; of another app's number the highest first, since nobody knows what is good. */
export function valuesAt(
  lines: readonly Line[],
  round: number,
  metric: Metric,
): { line: Line; value: number }[] {
  const sign = metric.kind === "loss" || metric.kind === "epsilon" ? 1 : -1;
  return lines
    .flatMap((line) => {
      const point = line.points.find(([at]) => at === round);
      return point === undefined ? [] : [{ line, value: point[1] }];
    })
    .sort((a, b) => Number(b.line.main) - Number(a.line.main) || sign * (a.value - b.value));
}
