/** What happened, with the lines of each round folded into one sentence. Pure functions. */
import type { LogEntry, Round } from "../api/types";
import { count, loss, percent, plural } from "../format/format";
import { type AppLabels, roundTitle } from "../runs/round-words";

export interface Fold {
  kind: "round";
  round: Round;
  /** What was told of it, but for warnings and errors: those stand for themselves. */
  lines: readonly LogEntry[];
  time: number;
}

export type Item = Fold | { kind: "entry"; entry: LogEntry; time: number };

/** The server tells that a round is over just after that. */
const CLOSING_S = 1;

/** Oldest first. A round that goes on is not folded: its lines are what happens now. */
export function timelineOf(logs: readonly LogEntry[], rounds: readonly Round[]): Item[] {
  const spans = rounds.flatMap((round, index) => (round.complete ? [spanOf(round, rounds[index + 1])] : []));
  const items: Item[] = [];
  let next = 0;
  for (const entry of logs) {
    while ((spans[next]?.until ?? Infinity) < entry.time) next += 1;
    const span = spans[next];
    const isQuiet = entry.level === "info" || entry.level === "debug";
    if (isQuiet && span !== undefined && entry.time >= span.fold.round.started_at) span.lines.push(entry);
    else items.push({ kind: "entry", entry, time: entry.time });
  }
  return [...items, ...spans.map(({ fold }) => fold)].sort((a, b) => a.time - b.time);
}

interface Span {
  fold: Fold;
  /** The fold's, as they are found. */
  lines: LogEntry[];
  /** Until then what is told belongs to the round: until the next begins, or its end is told. */
  until: number;
}

function spanOf(round: Round, after: Round | undefined): Span {
  const end = round.started_at + (round.duration_s ?? 0);
  const lines: LogEntry[] = [];
  const until = Math.max(end, Math.min(after?.started_at ?? Infinity, end + CLOSING_S));
  return { fold: { kind: "round", round, lines, time: end }, lines, until };
}

/** "round 3 aggregated from 2 of 3 clients, without client-3: 97.6 %" */
export function roundSentence(round: Round, labels: AppLabels): string {
  const missing = missingIn(round);
  const asked = round.clients + missing.length;
  const name = round.round === 0 ? "initial model" : roundTitle(round.round, labels);
  const from =
    round.clients === 0 ? "" : ` aggregated from ${count(round.clients)} of ${plural(asked, "client")}`;
  const without = missing.length === 0 ? "" : `, without ${missing.slice(0, 3).join(", ")}`;
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : "";
  const score = scoreOf(round);
  return `${name}${from}${without}${more}${score === null ? "" : `: ${score}`}`;
}

function scoreOf({ accuracy, client_accuracy, loss: global, client_loss }: Round): string | null {
  if (accuracy !== null) return percent(accuracy);
  if (client_accuracy !== null) return `${percent(client_accuracy)}, mean of the clients`;
  const left = global ?? client_loss;
  return left === null ? null : `loss ${loss(left)}`;
}

/** Those whose update the round did without. */
export function missingIn({ per_client }: Round): string[] {
  return Object.entries(per_client).flatMap(([id, { train_s, train_loss, late, lost, error }]) =>
    (late || lost || error !== null) && train_s === null && train_loss === null ? [id] : [],
  );
}
