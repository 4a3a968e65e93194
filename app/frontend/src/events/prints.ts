/** What a Flower app prints, among what happens. Pure functions. */
import type { LogEntry } from "../api/types";

type Stream = "stdout" | "stderr";

const LOGGERS: Readonly<Partial<Record<string, Stream>>> = { "app.stdout": "stdout", "app.stderr": "stderr" };

/** Where the app printed this to; undefined for an event, which FedLoom or one of its clients tells. */
export function printedTo({ logger }: Pick<LogEntry, "logger">): Stream | undefined {
  return LOGGERS[logger];
}

/** For a hover: "what the Flower app of client-2 prints, to stderr" */
export function printWords(stream: Stream, { source }: Pick<LogEntry, "source">): string {
  const whose = source === "server" ? "the ServerApp" : `the ClientApp of ${source}`;
  return `${whose} prints this, to ${stream}`;
}
