/** From rounds to the lines of a chart. Pure functions. */
import type { Round } from "../api/types";

export type Metric = "accuracy" | "loss";

export interface Line {
  /** Client id, or "global" for the server's model on the server's test set. */
  name: string;
  global: boolean;
  /** [round, value], ascending, only where there is a value. */
  points: [number, number][];
}

/** The global line last, so that it is drawn over the others; clients in the order given, only those with a value. */
export function linesOf(rounds: readonly Round[], metric: Metric, clientOrder: readonly string[]): Line[] {
  const global: Line = { name: "global", global: true, points: [] };
  const clients = new Map<string, Line>(clientOrder.map((id) => [id, { name: id, global: false, points: [] }]));
  for (const round of rounds) {
    push(global, round.round, round[metric]);
    for (const [id, result] of Object.entries(round.per_client)) {
      const line = clients.get(id) ?? { name: id, global: false, points: [] };
      clients.set(id, line);
      push(line, round.round, result[metric]);
    }
  }
  return [...clients.values(), global].filter((line) => line.global || line.points.length > 0);
}

function push(line: Line, round: number, value: number | null): void {
  if (value !== null && Number.isFinite(value)) line.points.push([round, value]);
}

/** Last round on the axis: the whole run if it is short, else a round number with some room ahead. */
export function axisEnd(numRounds: number, newest: number): number {
  if (numRounds <= 50) return numRounds;
  const wanted = Math.max(20, newest * 1.25);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const nice = [1, 2, 3, 5, 7.5, 10].find((step) => step * power >= wanted) ?? 10;
  return Math.min(numRounds, nice * power);
}

/**
 * Moves label centres apart to at least `gap`, each as near to its wanted place as that allows, all within
 * [low, high] where they fit. Keeps their order; returns them in the order given.
 */
export function spread(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  const placed = new Array<number>(wanted.length).fill(0);
  let floor = low;
  for (const index of order) {
    placed[index] = Math.max(wanted[index] ?? 0, floor);
    floor = (placed[index] ?? 0) + gap;
  }
  let ceiling = high;
  for (const index of order.reverse()) {
    placed[index] = Math.min(placed[index] ?? 0, ceiling);
    ceiling = (placed[index] ?? 0) - gap;
  }
  return placed;
}

/** Every value at one round, best first. */
export function valuesAt(lines: readonly Line[], round: number, metric: Metric): { line: Line; value: number }[] {
  const sign = metric === "accuracy" ? -1 : 1;
  return lines
    .flatMap((line) => {
      const point = line.points.find(([at]) => at === round);
      return point === undefined ? [] : [{ line, value: point[1] }];
    })
    .sort((a, b) => Number(b.line.global) - Number(a.line.global) || sign * (a.value - b.value));
}
