/** Which events the feed shows. Pure functions. */
import type { LogCounts, LogEntry } from "../api/types";
import { isPrinted } from "./prints";

/** By level; what another Flower app prints stands for itself, since it may be a lot. */
export type EventFilter = "all" | "info" | "warning" | "error" | "app";

const LEVELS: readonly EventFilter[] = ["all", "info", "warning", "error"];

/** Those on offer: what an app prints only where one has printed something, or may. */
export function filtersFor(logs: readonly LogEntry[], foreign: boolean): readonly EventFilter[] {
  return foreign || logs.some(isPrinted) ? [...LEVELS, "app"] : LEVELS;
}

export function passes(entry: LogEntry, filter: EventFilter): boolean {
  return filter === "all" || filterOf(entry) === filter;
}

function filterOf(entry: LogEntry): string {
  return isPrinted(entry) ? "app" : entry.level;
}

/** Those of a run and those of none; without a run all. */
export function ofRun(logs: readonly LogEntry[], run: string | null): readonly LogEntry[] {
  return run === null ? logs : logs.filter(({ run_id }) => run_id === null || run_id === run);
}

export type FilterCounts = Readonly<Record<EventFilter, number>>;

/** What the server has counted, and what came after that. */
export function countsOf(
  { debug, info, warning, error, printed, last }: LogCounts,
  logs: readonly LogEntry[],
): FilterCounts {
  const since = countByFilter(logs.filter(({ seq }) => seq > last));
  return {
    all: debug + info + warning + error + printed + since.all,
    info: info + since.info,
    warning: warning + since.warning,
    error: error + since.error,
    app: printed + since.app,
  };
}

export function countByFilter(logs: readonly LogEntry[]): FilterCounts {
  const counts: Record<EventFilter, number> = { all: logs.length, info: 0, warning: 0, error: 0, app: 0 };
  for (const entry of logs) {
    const filter = filterOf(entry);
    if (filter in counts) counts[filter as EventFilter] += 1; // debug has no filter of its own
  }
  return counts;
}

/** What stands in place of events where there is none. */
export function noneWords(filter: EventFilter): string {
  if (filter === "all") return "nothing has happened yet";
  return filter === "app" ? "the app has printed nothing so far" : `no ${filter} so far`;
}
