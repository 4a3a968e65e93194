/** From a run to its progress bar. Pure functions. */
import type { Round, Run } from "../api/types";

/** Up to here each round is a segment of its own; beyond, the bar is one piece. */
const MOST_SEGMENTS = 50;

export interface Bar {
  /** How full each segment is, 0 to 1. */
  segments: number[];
  label: string;
  value: number;
  max: number;
}

/** Share of the current round that is over: half is training, half is evaluation, each by its replies. */
function shareOfRound({ state, progress }: Run): number {
  if ((state !== "running" && state !== "paused") || progress === null) return 0;
  const replies = progress.total > 0 ? progress.done / progress.total : 0;
  switch (progress.phase) {
    case "training":
      return replies / 2;
    case "aggregating":
      return 0.5;
    case "evaluating":
      return 0.5 + replies / 2;
    case "querying":
      return replies;
  }
}

/** The current round, or the last that was. */
export function roundShown(run: Run, done: number): number {
  return Math.max(run.round, done);
}

export interface Score {
  accuracy: number;
  /** Nobody has evaluated the global model: it is the mean of the clients' own evaluation. */
  ofClients: boolean;
}

/** Of the newest complete round that was evaluated. */
export function scoreOf(rounds: readonly Round[]): Score | null {
  const newest = rounds.findLast(
    ({ complete, accuracy, client_accuracy }) => complete && (accuracy ?? client_accuracy) !== null,
  );
  const accuracy = newest?.accuracy ?? newest?.client_accuracy ?? null;
  return accuracy === null ? null : { accuracy, ofClients: newest?.accuracy === null };
}

export function barOf(run: Run, done: number): Bar {
  const total = run.num_rounds;
  const share = shareOfRound(run);
  if (total === null) {
    const { done: replies, total: asked } = run.progress ?? { done: 0, total: 0 };
    return { segments: [share], label: "progress of the round", value: replies, max: asked };
  }
  const reached = Math.min(total, done + share);
  const segments =
    total > MOST_SEGMENTS
      ? [reached / total]
      : Array.from({ length: total }, (_, index) => Math.min(1, Math.max(0, reached - index)));
  return { segments, label: "progress of the run", value: done, max: total };
}
