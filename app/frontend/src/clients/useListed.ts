import { useMemo } from "react";
import type { Run } from "../api/types";
import { joined } from "../enrolment/applicants";
import { clientsRun, roundsOf, useStore } from "../store/store";
import { blockersFirst, type Listed } from "./order";
import { inRun } from "./parts";
import { roleOf, roundInProgress } from "./roles";
import { useSlow } from "./useSlow";

/** All clients with their roles in the round that goes on, blockers first, and the run that they are of. */
export function useListed(): { run: Run | null; listed: readonly Listed[] } {
  const known = useStore((state) => state.server.clients);
  const run = useStore(clientsRun);
  const rounds = useStore((state) => roundsOf(state, clientsRun(state)));
  const slow = useSlow(run);
  const listed = useMemo(() => {
    const parts = roundInProgress(run, rounds)?.per_client ?? {};
    const all = inRun(joined(known), run).map((client) => ({
      client,
      role: roleOf(client, parts[client.id]),
      slow: slow.has(client.id),
    }));
    return blockersFirst(all, run);
  }, [known, run, rounds, slow]);
  return { run, listed };
}
