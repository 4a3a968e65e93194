/** A round, as FedLoom numbers it and as another Flower app does. Pure functions. */
import type { Round } from "../api/types";
import { count } from "../format/format";

/** Round → the app's own number of it, where that is another. */
export type AppLabels = ReadonlyMap<number, string>;

export function appLabels(rounds: readonly Round[]): AppLabels {
  return new Map(rounds.flatMap(({ round, label }) => (label === null ? [] : [[round, label]])));
}

/** "round 4", or "round 4 (the app's 1)" */
export function roundTitle(round: number, labels: AppLabels): string {
  return [`round ${count(round)}`, ...labelWords(labels.get(round))].join(" ");
}

/** "(the app's 1)", or nothing */
export function labelWords(label: string | undefined): string[] {
  return label === undefined ? [] : [`(the app's ${shortLabel(label, 24)})`];
}

/** An app may call a round anything. */
export function shortLabel(label: string, most: number): string {
  return label.length <= most ? label : `${label.slice(0, most - 1)}…`;
}

/** Share of the values in the newest secure sum that were clipped; null: there is none. */
export function clippedShare(rounds: readonly Round[]): number | null {
  const sums = rounds.map(({ metrics }) => metrics["secure-aggregation"]?.clipped);
  return sums.filter((share) => share !== undefined).at(-1) ?? null;
}
