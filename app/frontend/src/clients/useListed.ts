import { useMemo } from "react";
import type { Run } from "../api/types";
import { joined } from "../enrolment/applicants";
import { clientsRun, roundsOf, useStore } from "../store/store";
import { holdupsOf } from "./blockers";
import { blockersFirst, type Listed } from "./order";
import { inRun } from "./past";
import { roleOf, roundInProgress } from "./roles";

/** All clients with their roles in the round that goes on, blockers first, and the run that they are of. */
export function useListed(): { run: Run | null; listed: readonly Listed[] } {
  const known = useStore((state) => state.server.clients);
  const run = useStore(clientsRun);
  const rounds = useStore((state) => roundsOf(state, clientsRun(state)));
  // By name, since it changes with the second and mostly says the same.
  const slow = useStore((state) => {
    if (run === null) return "";
    const { slow } = holdupsOf(run, state.server.clients, rounds, state.now);
    return slow.map(({ id }) => id).join(" ");
  });
  const listed = useMemo(() => {
    const parts = roundInProgress(run, rounds)?.per_client ?? {};
    const holdups = new Set(slow.split(" "));
    const all = inRun(joined(known), run).map((client) => ({
      client,
      role: roleOf(client, parts[client.id]),
      slow: holdups.has(client.id),
    }));
    return blockersFirst(all, run);
  }, [known, run, rounds, slow]);
  return { run, listed };
}
