/** Mesh rounds as lines of a chart, beside the rounds with the server. Pure functions. */
import type { MeshRound, Round } from "../api/types";
import type { Metric } from "../charts/metrics";
import type { Line } from "../charts/series";

/** How far the farthest model was that a node averaged with, in per cent of its own model's norm. */
export const DIVERGENCE: Metric = { kind: "number", stage: "mesh", name: "divergence", fromZero: true };

type Told = Pick<MeshRound, "base_round" | "number" | "accuracy" | "divergence">;

/**
 * A mesh round stands where it would be in the run: so many rounds after the one from which its client left the server.
 * One that was gone twice is shown as it was the last time.
 */
export function meshPoints(rounds: readonly Told[], field: "accuracy" | "divergence"): Line["points"] {
  const scale = field === "divergence" ? 100 : 1;
  const values = new Map<number, number>();
  for (const round of rounds) {
    const value = round[field];
    if (value !== null) values.set(round.base_round + round.number, value * scale);
  }
  return [...values].sort(([a], [b]) => a - b);
}

/** The clients' lines, in the order given; only those with a value. */
function clientLines(told: ReadonlyMap<string, readonly Told[]>, field: "accuracy" | "divergence"): Line[] {
  return [...told]
    .map(([name, rounds]) => ({ name, main: false, points: meshPoints(rounds, field) }))
    .filter(({ points }) => points.length > 0);
}

/** The global model in the rounds with the server, and each client's own without it. */
export function accuracyLines(
  told: ReadonlyMap<string, readonly Told[]>,
  rounds: readonly Pick<Round, "round" | "accuracy">[],
): Line[] {
  const points = rounds.flatMap(({ round, accuracy }): Line["points"] =>
    accuracy === null ? [] : [[round, accuracy]],
  );
  return [...clientLines(told, "accuracy"), { name: "server", main: true, points }];
}

/** Each client's, and the largest of all. */
export function divergenceLines(told: ReadonlyMap<string, readonly Told[]>): Line[] {
  const clients = clientLines(told, "divergence");
  const largest = new Map<number, number>();
  for (const { points } of clients) {
    for (const [round, value] of points) largest.set(round, Math.max(value, largest.get(round) ?? 0));
  }
  const points: Line["points"] = [...largest].sort(([a], [b]) => a - b);
  return [...clients, { name: "largest", main: true, points }];
}

/** The last round that any line has. */
export function lastRound(lines: readonly Line[]): number {
  return Math.max(0, ...lines.flatMap(({ points }) => points.slice(-1).map(([round]) => round)));
}
