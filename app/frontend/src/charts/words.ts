/** What a chart says in words. Pure functions. */
import { isOver, type Run } from "../api/types";
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

/** In place of curves without a point; null where there is one. */
export function emptyWords(run: Run | null, source: Source, drawn: boolean): string | null {
  if (drawn) return null;
  if (run === null) return "curves appear here once a run has started";
  if (isOver(run.state)) return source === "global" ? "the run ended before its first evaluation" : "the app's clients reported none";
  if (source === "global") return "the first point appears when the initial model has been evaluated";
  return "the first point appears when a client has reported it";
}
