/** Which lines of the log are looked for, as the address says it. Pure functions. */
import type { LogCounts, LogEntry, LogKind, Run } from "../api/types";
import { isPrinted } from "../events/prints";

/** The most telling first. */
export const KINDS: readonly LogKind[] = ["error", "warning", "info", "printed", "debug"];

export interface LogFilter {
  run: string | null;
  /** A client's id, or "server". */
  client: string | null;
  /** None: all. */
  kinds: readonly LogKind[];
  text: string;
}

/** `fixed`: what the page that the log is on has decided already. */
export function filterOf(address: URLSearchParams, fixed: Partial<LogFilter> = {}): LogFilter {
  const named = (address.get("level") ?? "").split(",");
  return {
    run: chosenIn(address, "run"),
    client: chosenIn(address, "client"),
    kinds: KINDS.filter((kind) => named.includes(kind)),
    text: address.get("q") ?? "",
    ...fixed,
  };
}

function chosenIn(address: URLSearchParams, name: string): string | null {
  const value = address.get(name);
  return value === "" ? null : value;
}

/** The address with these choices in it. What was pointed at among others means nothing any more. */
export function withFilter(address: URLSearchParams, changes: Partial<LogFilter>): URLSearchParams {
  const next = new URLSearchParams(address);
  next.delete("at");
  const { run, client, kinds, text } = changes;
  if (run !== undefined) put(next, "run", run);
  if (client !== undefined) put(next, "client", client);
  if (kinds !== undefined) put(next, "level", kinds.join(","));
  if (text !== undefined) put(next, "q", text);
  return next;
}

function put(address: URLSearchParams, name: string, value: string | null): void {
  if (value === null || value === "") address.delete(name);
  else address.set(name, value);
}

/** The line that the address names. */
export function lineOf(address: URLSearchParams): number | null {
  const at = Number(address.get("at"));
  return Number.isSafeInteger(at) && at > 0 ? at : null;
}

/** As REST takes it. */
export interface LogQuery {
  run?: string;
  source?: string;
  kind?: LogKind[];
  q?: string;
  /** Only from after this time, in Unix seconds. */
  since?: number;
}

export function queryOf({ run, client, kinds, text }: LogFilter): LogQuery {
  return {
    ...(run === null ? {} : { run }),
    ...(client === null ? {} : { source: client }),
    ...(kinds.length === 0 ? {} : { kind: [...kinds] }),
    ...(text === "" ? {} : { q: text }),
  };
}

export function kindOf(entry: LogEntry): LogKind {
  return isPrinted(entry) ? "printed" : entry.level;
}

/** Whether a line that has just come is one of those, whatever its kind: as the server decides it for older ones. */
export function isOf(entry: LogEntry, { run, client, text }: LogFilter, runs: readonly Run[]): boolean {
  if (client !== null && entry.source !== client) return false;
  if (run !== null && entry.run_id !== run && !(entry.run_id === null && goesOn(run, runs))) return false;
  const words = text.toLowerCase();
  return [entry.message, entry.traceback ?? "", entry.logger].some((each) =>
    each.toLowerCase().includes(words),
  );
}

/** What belongs to no run is shown with the newest, and with one that is not over. `runs`: newest first. */
function goesOn(run: string, runs: readonly Run[]): boolean {
  return runs[0]?.id === run || runs.some(({ id, finished_at }) => id === run && finished_at === null);
}

export type KindCounts = Readonly<Record<LogKind, number>>;

/** What the server has counted, and what came after that. */
export function countsOf(counted: LogCounts, fresh: readonly LogEntry[]): KindCounts {
  const counts: Record<LogKind, number> = { error: 0, warning: 0, info: 0, printed: 0, debug: 0 };
  for (const kind of KINDS) counts[kind] = counted[kind];
  for (const entry of fresh) counts[kindOf(entry)] += 1;
  return counts;
}

/** How many of these kinds; without any, of all. */
export function sumOf(counts: KindCounts, kinds: readonly LogKind[]): number {
  return (kinds.length === 0 ? KINDS : kinds).reduce((sum, kind) => sum + counts[kind], 0);
}
