/** What a chart says in words. Pure functions. */
import { isOver, type Round, type Run } from "../api/types";
import type { Metric, Source } from "./series";

interface NewestWords {
  /** Whose value it is. */
  of: string;
  /** Why there is none. */
  missing: string;
  unit: string;
}

/** What stands beside the newest value of the main line. */
export function newestWords(metric: Metric, source: Source): NewestWords {
  switch (source) {
    case "global":
      return {
        of: "global",
        missing: "the global model has not been evaluated yet",
        unit: metric === "accuracy" ? "on the server's test set" : "cross-entropy, nats",
      };
    case "mean":
      return {
        of: "mean of the clients",
        missing: `no client has reported its ${metric} yet`,
        unit: "weighted by their examples",
      };
    case "training":
      return { of: "mean of the clients", missing: "no client has trained yet", unit: "while training" };
  }
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
  if (foreign && (run.state === "completed" || rounds.some(({ round, complete }) => round > 0 && complete))) {
    return `the app's clients reported no ${metric}`;
  }
  const first = foreign ? `a client reported its ${metric}` : "its first evaluation";
  if (run.state === "interrupted") return `the run was interrupted before ${first}`;
  if (isOver(run.state)) return `the run ended before ${first}`;
  return `the first point appears when ${foreign ? "a client has reported it" : "the initial model has been evaluated"}`;
}
