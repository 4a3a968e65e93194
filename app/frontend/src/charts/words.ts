/** What a chart says in words. Pure functions. */
import { isOver, type Round, type Run } from "../api/types";
import { type Metric, titleOf } from "./metrics";
import type { Source } from "./series";

interface NewestWords {
  /** Whose value it is. */
  of: string;
  /** Why there is none. */
  missing: string;
  unit: string;
}

/** What stands beside the newest value of the main line; `foreign`: of another Flower app. */
export function newestWords(metric: Metric, source: Source, foreign: boolean): NewestWords {
  switch (source) {
    case "largest":
      return {
        of: "largest of a client",
        missing: "no client has told what it has spent yet",
        unit: "privacy spent, by RDP",
      };
    case "global":
      return {
        of: "global",
        missing: "the global model has not been evaluated yet",
        unit: foreign ? "as the app's server evaluates it" : unitOfOwn(metric),
      };
    case "mean":
      return {
        of: "mean of the clients",
        missing: `no client has reported its ${titleOf(metric)} yet`,
        unit: "weighted by their examples",
      };
    case "training":
      return { of: "mean of the clients", missing: "no client has trained yet", unit: "while training" };
    case "server":
      return {
        of: "server",
        missing: "the app's server has not computed it yet",
        unit: "as the app's server computes it",
      };
    case "aggregate":
      return {
        of: "aggregate",
        missing: "no client has reported it yet",
        unit: "as the app's strategy aggregates it, else the mean by examples",
      };
  }
}

function unitOfOwn({ kind }: Metric): string {
  return kind === "accuracy" ? "on the server's test set" : "cross-entropy, nats";
}

/** In place of curves without a point: why there is none. Null where one is `drawn`. */
export function emptyWords(
  run: Run | null,
  metric: Metric,
  source: Source,
  rounds: readonly Round[],
  drawn: boolean,
): string | null {
  if (drawn) return null;
  if (run === null) return "curves appear here once a run has started";
  const foreign = source !== "global";
  const reporter = source === "server" ? "the app's server" : "a client";
  const title = titleOf(metric);
  if (foreign && (run.state === "completed" || rounds.some(({ round, complete }) => round > 0 && complete))) {
    if (metric.kind === "train_loss") return `the clients reported no ${title}`;
    return source === "server"
      ? `the app's server computed no ${title}`
      : `the app's clients reported no ${title}`;
  }
  const first = foreign ? `${reporter} reported its ${title}` : "its first evaluation";
  if (run.state === "interrupted") return `the run was interrupted before ${first}`;
  if (isOver(run.state)) return `the run ended before ${first}`;
  return `the first point appears when ${foreign ? `${reporter} has reported it` : "the initial model has been evaluated"}`;
}
