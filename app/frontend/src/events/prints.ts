/** What a Flower app prints, among what happens. Pure functions. */
import type { LogEntry } from "../api/types";

/** The name under which the log has what an app's process prints; FedLoom's own modules have longer ones. */
const PRINTED = "app";

export function isPrinted({ logger, level }: Pick<LogEntry, "logger" | "level">): boolean {
  return logger === PRINTED && level === "info";
}

/** Who printed it: "printed by the ClientApp of client-2" */
export function printWords({ source }: Pick<LogEntry, "source">): string {
  return source === "server" ? "printed by the ServerApp" : `printed by the ClientApp of ${source}`;
}
