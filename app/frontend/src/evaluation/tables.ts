/** From rounds and clients to the tables of the evaluation. Pure functions. */
import type { Client, Round } from "../api/types";
import { NO_LABELS } from "../clients/results";
import { count, percent, plural } from "../format/format";

export interface Cell {
  count: number;
  /** Of the row's samples, 0 to 1. */
  share: number;
  /** Samples of one class that were taken for another. */
  wrong: boolean;
  title: string;
}

export interface Row {
  id: string;
  /** null: why there are no cells is in `missing`. */
  cells: Cell[] | null;
  missing: string;
  accuracy: number | null;
  /** Why there is no accuracy. */
  noAccuracy: string;
}

/** Rounds whose global model was evaluated by class, ascending. */
export function evaluatedRounds(rounds: readonly Round[]): Round[] {
  return rounds.filter((round) => round.confusion !== null);
}

/** The wanted round, if it was evaluated; else the newest that was. */
export function pickRound(evaluated: readonly Round[], wanted: number | null): Round | null {
  return evaluated.find(({ round }) => round === wanted) ?? evaluated.at(-1) ?? null;
}

/** The evaluated rounds before and after one, for going step by step. */
export function neighbours(
  evaluated: readonly Round[],
  at: number | null,
): { before: number | null; after: number | null } {
  const index = evaluated.findIndex(({ round }) => round === at);
  if (index < 0) return { before: null, after: null };
  return { before: evaluated[index - 1]?.round ?? null, after: evaluated[index + 1]?.round ?? null };
}

export function classNames(classes: readonly string[], least: number): string[] {
  return Array.from(
    { length: Math.max(classes.length, least) },
    (_, label) => classes[label] ?? String(label),
  );
}

/** One row per class of the test set: what its samples were taken for. */
export function confusionRows({ confusion, class_accuracy }: Round, names: readonly string[]): Row[] {
  return (confusion ?? []).map((counts, label) => {
    const total = sum(counts);
    const name = names[label] ?? String(label);
    return {
      id: name,
      cells: counts.map((samples, predicted) => ({
        count: samples,
        share: total > 0 ? samples / total : 0,
        wrong: predicted !== label,
        title: `${count(samples)} of ${plural(total, "sample")} of ${name} taken for ${names[predicted] ?? predicted}${share(samples, total)}`,
      })),
      missing: "",
      accuracy: class_accuracy?.[label] ?? null,
      noAccuracy: "the test set has no sample of it",
    };
  });
}

/** One row per client: its training samples by label, and its own accuracy in the round. */
export function labelRows(
  clients: readonly Client[],
  round: Round | undefined,
  names: readonly string[],
): Row[] {
  return clients.map(({ id, label_counts }) => {
    const total = sum(label_counts ?? []);
    return {
      id,
      cells:
        label_counts?.map((samples, label) => ({
          count: samples,
          share: total > 0 ? samples / total : 0,
          wrong: false,
          title: `${count(samples)} of ${plural(total, "training sample")} of ${id} are ${names[label] ?? label}${share(samples, total)}`,
        })) ?? null,
      missing: NO_LABELS,
      accuracy: round?.per_client[id]?.accuracy ?? null,
      noAccuracy: round === undefined ? "no round yet" : `did not evaluate in round ${round.round}`,
    };
  });
}

/** How much of the mark's colour a cell has, in percent. The root keeps few samples visible beside many. */
export function heat(share: number): number {
  return share === 0 ? 0 : Math.round(4 + 32 * Math.sqrt(share));
}

function share(samples: number, total: number): string {
  return total > 0 ? ` (${percent(samples / total)})` : "";
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
