/** The order of the clients in their table. Pure functions. */
import type { Client, Run } from "../api/types";
import { isMissing } from "./blockers";
import type { ClientRole } from "./roles";

export interface Listed {
  client: Client;
  role: ClientRole;
  /** It takes much longer than usually. */
  slow: boolean;
}

/** Those that hold up the run first, those that are lost and missed by nobody last; otherwise as given. */
export function blockersFirst(clients: readonly Listed[], run: Pick<Run, "id" | "state"> | null): Listed[] {
  const placeOf = ({ client, role, slow }: Listed): number =>
    client.state === "lost" && !isMissing(client, run) ? MISSED_BY_NOBODY : rankOf(role, slow);
  return clients.toSorted((a, b) => placeOf(a) - placeOf(b));
}

const MISSED_BY_NOBODY = 5;

/** How much a client that the run counts on holds it up; the most is 0. */
export function rankOf(role: ClientRole, slow: boolean): number {
  if (role === "lost") return 0;
  if (role === "late") return 1;
  if (slow) return 2;
  return role === "failed" ? 3 : 4;
}
