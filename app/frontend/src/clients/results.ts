/** What the newest rounds say about each client. Pure functions. */
import type { Client, ClientRound, ClientState, Round } from "../api/types";
import { count, plural } from "../format/format";

export interface LatestResult {
  round: number;
  result: ClientRound;
}

/** A client that took no part for so many rounds has no latest result any more. */
const LOOK_BACK = 50;

/** Each client's part in the newest round in which it had one. When so many are found, nobody is looked for any more. */
export function latestResults(
  rounds: readonly Round[],
  lookBack = LOOK_BACK,
  clients = Infinity,
): ReadonlyMap<string, LatestResult> {
  const latest = new Map<string, LatestResult>();
  for (const { round, per_client } of rounds.slice(-lookBack).reverse()) {
    if (latest.size >= clients) break;
    for (const [id, result] of Object.entries(per_client)) {
      if (!latest.has(id)) latest.set(id, { round, result });
    }
  }
  return latest;
}

export interface StageNumbers {
  stage: string;
  /** [name, value] */
  numbers: [string, number][];
}

/** The numbers that another app's client reported in a round, each stage for itself. */
export function numbersByStage({ stages, metrics }: ClientRound): StageNumbers[] {
  // A record from before stages were told apart has one list of all.
  const known = Object.keys(stages).length > 0 ? stages : { reply: metrics };
  return Object.entries(known)
    .map(([stage, values]) => ({ stage, numbers: Object.entries(values) }))
    .filter(({ numbers }) => numbers.length > 0);
}

export function countNumbers(result: ClientRound): number {
  return numbersByStage(result).reduce((sum, { numbers }) => sum + numbers.length, 0);
}

export interface Note {
  kind: "failed" | "late" | "declined";
  round: number;
  why: string;
}

/** What went wrong with a client's newest part, or null; that it was lost in the middle of it, its state says already. */
export function noteOf(latest: LatestResult | undefined, state: ClientState): Note | null {
  if (latest === undefined) return null;
  const { round, result } = latest;
  if (state === "lost" && result.lost) return null;
  if (result.error !== null) {
    return { kind: result.verdict === "declined" ? "declined" : "failed", round, why: result.error };
  }
  if (result.late) return { kind: "late", round, why: "it had not answered when the round's time was over" };
  return null;
}

/** What the row leaves out, or null: "3 metrics", "error", "verdicts". */
export function moreWords(
  latest: LatestResult | undefined,
  note: Note | null,
  hasVerdicts: boolean,
): string | null {
  if (latest === undefined) return null;
  if (note?.kind === "failed") return "error";
  if (note?.kind === "declined") return "why";
  const metrics = countNumbers(latest.result);
  if (metrics > 0) return plural(metrics, "metric");
  return hasVerdicts ? "verdicts" : null;
}

/** One line per label, for a hover: "7: 120". Names the labels where they are known. */
export function labelLines(counts: readonly number[], classes: readonly string[]): string[] {
  return counts.map((samples, label) => `${classes[label] ?? label}: ${count(samples)}`);
}

/** Why there are no label counts, but in a private run. */
export const NO_LABELS = "label counts: kept private by its site, or not reported yet";

/** The classes' names, if they are those of what the client holds. */
export function classesFor(
  client: Client,
  run: { spec: { dataset: string; app: string | null }; classes: string[] } | null,
): readonly string[] {
  return run !== null && run.spec.app === client.app && run.spec.dataset === client.dataset
    ? run.classes
    : [];
}
