/** What a chart can show: accuracy and losses, what a private run has spent, and every number that another Flower app reports. Pure functions. */
import type { Round } from "../api/types";

/** A curve of its own in every run; FedLoom knows what it means. */
export interface KnownMetric {
  kind: "accuracy" | "loss" | "train_loss" | "epsilon";
}

/** A number of another Flower app. Stage and name together name it: a client may have an AUC of both its stages. */
export interface AppMetric {
  kind: "number";
  /** The type of the message that it was an answer to, or `server` for what the ServerApp computed. */
  stage: string;
  name: string;
  /** Its axis begins at zero; of another app's number nobody knows what that would say. */
  fromZero?: boolean;
}

export type Metric = KnownMetric | AppMetric;

/** The stage of what the ServerApp computes of the global model; no client has a part in it. */
export const SERVER = "server";

/** "accuracy", "evaluate/auc": a name of its own for each. */
export function keyOf(metric: Metric): string {
  return metric.kind === "number" ? `${metric.stage}/${metric.name}` : metric.kind;
}

const KNOWN = ["accuracy", "loss", "train_loss", "epsilon"] as const satisfies readonly KnownMetric["kind"][];

export function metricOf(key: string): Metric {
  const known = KNOWN.find((kind) => kind === key);
  if (known !== undefined) return { kind: known };
  const slash = key.indexOf("/"); // a stage has none
  return { kind: "number", stage: key.slice(0, Math.max(0, slash)), name: key.slice(slash + 1) };
}

/** "accuracy", "training loss", "ε", "auc · evaluate" */
export function titleOf(metric: Metric): string {
  if (metric.kind === "epsilon") return "ε";
  if (metric.kind === "train_loss") return "training loss";
  return metric.kind === "number" ? `${metric.name} · ${metric.stage}` : metric.kind;
}

/** What was spent is nothing at first; its axis has no other beginning. */
export function startsAtZero(metric: Metric): boolean {
  return metric.kind === "number" ? metric.fromZero === true : metric.kind === "epsilon";
}

/** Whether a logarithmic axis would say anything: an accuracy has none. */
export function hasLogarithm({ kind }: Metric): boolean {
  return kind !== "accuracy";
}

/** The stages' order in a choice: what the model is worth before how it came to be. */
const STAGES = [SERVER, "evaluate", "train"];

/** All numbers of another app's rounds, by stage; how many examples there were comes last, since few ask for it. */
export function appMetrics(rounds: readonly Round[]): AppMetric[] {
  const names = new Map<string, Set<string>>();
  for (const { metrics } of rounds) {
    for (const [stage, values] of Object.entries(metrics)) {
      const known = names.get(stage) ?? new Set();
      names.set(stage, known);
      for (const name of Object.keys(values)) known.add(name);
    }
  }
  const found = [...names].flatMap(([stage, known]) =>
    [...known].map((name): AppMetric => ({ kind: "number", stage, name })),
  );
  return found.sort((a, b) => rankOf(a) - rankOf(b));
}

const COUNTS_EXAMPLES = /^(num(ber)?[-_ ]?(of[-_ ]?)?)?(examples|samples)$/i;

function rankOf({ stage, name }: AppMetric): number {
  if (COUNTS_EXAMPLES.test(name)) return STAGES.length + 1;
  // "train 2" and "train.setup" belong to "train".
  const rank = STAGES.findIndex(
    (each) => stage === each || stage.startsWith(`${each} `) || stage.startsWith(`${each}.`),
  );
  return rank === -1 ? STAGES.length : rank;
}

/** Whether a chart of it would have a point. */
export function hasValues(rounds: readonly Round[], metric: Metric): boolean {
  return rounds.some((round) => {
    if (metric.kind === "number") return round.metrics[metric.stage]?.[metric.name] !== undefined;
    const known = {
      accuracy: [round.accuracy, round.client_accuracy],
      loss: [round.loss, round.client_loss, round.train_loss],
      train_loss: [round.train_loss],
      epsilon: [],
    }[metric.kind];
    return (
      known.some((value) => value !== null) ||
      round.spread[metric.kind] !== undefined ||
      Object.values(round.per_client).some((result) => result[metric.kind] !== null)
    );
  });
}
