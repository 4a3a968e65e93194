/** What a client is in the round that goes on. Pure functions. */
import { type Client, type ClientRound, isActive, type Round, type Run } from "../api/types";
import { isOnEngine } from "../runs/engine-words";
import type { Mark } from "../ui/StateMark";

/** In the order in which they are listed and counted: who may hold up the round comes first. */
export const ROLES = [
  "lost",
  "late",
  "failed",
  "declined",
  "asked",
  "training",
  "evaluating",
  "delivered",
  "evaluated",
  "idle",
  "apart",
] as const;
export type ClientRole = (typeof ROLES)[number];

export const ROLE_MARKS: Record<ClientRole, Mark> = {
  lost: ["cross", "bad"],
  late: ["clock", "warn"],
  failed: ["triangle", "bad"],
  declined: ["square", "quiet"],
  asked: ["dots", "plain"],
  training: ["play", "good"],
  evaluating: ["diamond", "good"],
  delivered: ["check", "good"],
  evaluated: ["check", "good"],
  idle: ["ring", "quiet"],
  apart: ["ring", "quiet"],
};

/** "takes no part" */
export function roleWord(role: ClientRole): string {
  return role === "apart" ? "takes no part" : role;
}

/** The round whose parts tell the clients' roles: the newest of a run that is not over; null: there is none. */
export function roundInProgress(
  run: Pick<Run, "state" | "round"> | null,
  rounds: readonly Round[],
): Round | null {
  if (run === null || !isActive(run.state)) return null;
  return rounds.findLast(({ round }) => round === run.round) ?? null;
}

/** `part`: the client's in the round that goes on, as far as it is known. */
export function roleOf(client: Client, part: ClientRound | undefined): ClientRole {
  if (client.membership !== "admitted") return "apart";
  if (client.state === "lost" || client.state === "late") return client.state;
  if (client.state === "training" || client.state === "evaluating") {
    // How far it is only the built-in app says; its first word comes with the first batch.
    return client.app === null && client.progress === null ? "asked" : client.state;
  }
  if (client.reason !== null) return "apart";
  return part === undefined ? "idle" : outcomeOf(part);
}

function outcomeOf(part: ClientRound): ClientRole {
  if (part.lost) return "idle"; // it has come back, and is not asked again in this round
  if (part.error !== null) return part.verdict === "declined" ? "declined" : "failed";
  if (part.late) return "late";
  if (part.evaluate_s !== null || part.accuracy !== null) return "evaluated";
  return "delivered";
}

interface InRun {
  /** As it is now; undefined: what it does now is not of this run. */
  client: Client | undefined;
  /** In the round that goes on. */
  part: ClientRound | undefined;
  /** The newest that it had. */
  latest: ClientRound | undefined;
}

/** What a client is in a run, or was in its last part of one that does not go on. */
export function roleInRun(
  run: Pick<Run, "state" | "spec" | "progress" | "clients">,
  { client, part, latest }: InRun,
): ClientRole {
  if (client !== undefined) return roleOf(client, part);
  const known = isActive(run.state) ? part : latest;
  if (known !== undefined) return known.lost ? "lost" : outcomeOf(known);
  if (!isActive(run.state) || !isOnEngine(run)) return "apart";
  // Of whom an engine's clients are asked, only the number is told.
  return run.progress !== null && run.progress.total >= run.clients.length ? "asked" : "idle";
}

export type RoleCounts = ReadonlyMap<ClientRole, number>;

export function countRoles(roles: Iterable<ClientRole>): RoleCounts {
  const counts = new Map<ClientRole, number>();
  for (const role of roles) counts.set(role, (counts.get(role) ?? 0) + 1);
  return counts;
}
