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
  const placeOf = ({ client, role, slow }: Listed): number => {
    if (isMissing(client, run)) return 0;
    if (role === "late") return 1;
    if (slow) return 2;
    if (role === "failed") return 3;
    return client.state === "lost" ? 5 : 4;
  };
  return clients.toSorted((a, b) => placeOf(a) - placeOf(b));
}
