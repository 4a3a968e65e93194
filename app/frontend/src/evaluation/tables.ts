/** From rounds and clients to the tables of the evaluation. Pure functions. */
import type { Round } from "../api/types";
import { NO_LABELS } from "../clients/results";
import type { Labels } from "../clients/useLabels";
import { count, NO_DATA, percent, plural } from "../format/format";
import { distance, type Mix, mostly, NOTABLE, sum, wholeOf } from "./mix";

/** What stands in the cells of the clients' labels. */
export const CELLS = ["count", "share"] as const;
/** In which order the clients stand. */
export const ORDERS = ["unusual first", "by name"] as const;

export interface Cell {
  count: number;
  /** The same, or the share, as it stands in the cell. */
  text: string;
  /** Of the row's samples, 0 to 1. */
  share: number;
  /** Samples of one class that were taken for another. */
  wrong: boolean;
  title: string;
}

export interface Row {
  id: string;
  /** Asked for where the row is drawn, which most of a thousand are not; null: why there are none is in `missing`. */
  cells: (() => Cell[]) | null;
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
      cells: () =>
        counts.map((samples, predicted) => ({
          count: samples,
          text: count(samples),
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

/** A client's labels beside how unlike those of all they are. */
export interface ClientLabels extends Row {
  /** Of its labels' mix from that of all, 0 to 1; null: not known. */
  far: number | null;
  /** "71 % are 3 and 8", "like the whole"; null: not known. */
  mix: string | null;
}

/**
 * One row per client: its training samples by label, how they are mixed, and its own accuracy in the round. `kept`: why
 * the run's clients do not tell it; null: they do.
 */
export function labelRows(
  clients: readonly string[],
  labels: Labels,
  round: Round | undefined,
  names: readonly string[],
  shown: (typeof CELLS)[number] = "count",
  kept: string | null = null,
): ClientLabels[] {
  const whole = wholeOf(clients.flatMap((id) => [labels.get(id) ?? []]));
  return clients.map((id) => {
    const mix = labels.get(id) ?? null;
    const far = mix === null ? null : distance(mix, whole);
    return {
      id,
      cells: mix === null ? null : () => labelCells(id, mix, names, shown),
      missing: kept ?? NO_LABELS,
      far,
      mix: mix === null || far === null ? null : far < NOTABLE ? "like the whole" : mostly(mix, names),
      accuracy: round?.per_client[id]?.accuracy ?? null,
      noAccuracy: kept ?? (round === undefined ? "no round yet" : `did not evaluate in round ${round.round}`),
    };
  });
}

function labelCells(id: string, mix: Mix, names: readonly string[], shown: (typeof CELLS)[number]): Cell[] {
  const total = sum(mix);
  return mix.map((samples, label) => {
    const part = total > 0 ? samples / total : 0;
    return {
      count: samples,
      text: shown === "share" ? wholePercent(part) : count(samples),
      share: part,
      wrong: false,
      title: `${count(samples)} of ${plural(total, "training sample")} of ${id} are ${names[label] ?? label}${share(samples, total)}`,
    };
  });
}

/** "25 %"; little is not nothing. */
function wholePercent(part: number): string {
  return part > 0 && part < 0.005 ? "<1 %" : `${Math.round(part * 100)} %`;
}

/**
 * Of rows that stand by their names: those with the most unlike labels first, those that tell none last; those that are
 * alike stay as they are.
 */
export function inOrder(
  rows: readonly ClientLabels[],
  order: (typeof ORDERS)[number],
): readonly ClientLabels[] {
  return order === "by name" ? rows : rows.toSorted((a, b) => (b.far ?? -1) - (a.far ?? -1));
}

/** "2 of 5 clients have unusual data, most of all client-4: 71 % are 3 and 8"; null: nothing is known. */
export function unusualWords(rows: readonly ClientLabels[]): string | null {
  const known = inOrder(rows, "unusual first").filter(({ far }) => far !== null);
  const unusual = known.filter(isUnusual);
  const [first] = unusual;
  if (known.length === 0) return null;
  if (first === undefined) return `${plural(known.length, "client")}, all with much the same mix of labels`;
  return `${count(unusual.length)} of ${plural(known.length, "client")} ${unusual.length === 1 ? "has" : "have"} unusual data, most of all ${first.id}: ${first.mix}`;
}

export function isUnusual({ far }: ClientLabels): boolean {
  return far !== null && far >= NOTABLE;
}

/** At most so many of the evaluated rounds, evenly spread; the first, the last and the one that is shown are among them. */
export function spreadRounds(evaluated: readonly Round[], at: number | null, most: number): Round[] {
  if (evaluated.length <= most) return [...evaluated];
  const last = evaluated.length - 1;
  const wanted = new Set(Array.from({ length: most }, (_, place) => Math.round((place * last) / (most - 1))));
  const shown = evaluated.findIndex(({ round }) => round === at);
  if (shown >= 0 && !wanted.has(shown)) {
    const inner = [...wanted].filter((index) => index !== 0 && index !== last);
    const nearest = inner.toSorted((a, b) => Math.abs(a - shown) - Math.abs(b - shown))[0];
    if (nearest !== undefined) wanted.delete(nearest);
    wanted.add(shown);
  }
  return evaluated.filter((_, index) => wanted.has(index));
}

/** One row per class: its accuracy in each of the rounds, and in the one that is shown. */
export function classRows(rounds: readonly Round[], shown: Round, names: readonly string[]): Row[] {
  return names.map((name, label) => ({
    id: name,
    cells: () => rounds.map((round) => classCell(round, label, name)),
    missing: "",
    accuracy: shown.class_accuracy?.[label] ?? null,
    noAccuracy: "the test set has no sample of it",
  }));
}

function classCell({ round, class_accuracy }: Round, label: number, name: string): Cell {
  const accuracy = class_accuracy?.[label] ?? null;
  return {
    count: accuracy ?? 0,
    text: accuracy === null ? NO_DATA : String(Math.round(accuracy * 100)),
    share: accuracy ?? 0,
    wrong: false,
    title:
      accuracy === null
        ? `the test set of round ${round} has no sample of ${name}`
        : `${percent(accuracy)} of the samples of ${name} were recognised in round ${round}`,
  };
}

/** How much of the mark's colour a cell has, in percent. The root keeps few samples visible beside many. */
export function heat(share: number): number {
  return share === 0 ? 0 : Math.round(4 + 32 * Math.sqrt(share));
}

function share(samples: number, total: number): string {
  return total > 0 ? ` (${percent(samples / total)})` : "";
}
