import { useMemo } from "react";
import { type Client, isActive, type Run } from "../api/types";
import { roundsOf, useStore } from "../store/store";
import { rankOf } from "./order";
import type { Part } from "./parts";
import { type ClientRole, roleInRun, roundInProgress } from "./roles";
import { useParts } from "./useParts";
import { useSlow } from "./useSlow";

export interface RunClient extends Part {
  role: ClientRole;
  /** As it is now; undefined: what it does now is not of this run, or it is no member here. */
  client: Client | undefined;
}

/** A run's own clients. While the run goes on, with what they do now, and those that hold it up first. */
export function useRunClients(run: Run): readonly RunClient[] {
  const parts = useParts(run);
  const known = useStore((state) => state.server.clients);
  const now = useStore((state) => roundInProgress(run, roundsOf(state, run))?.per_client);
  const slow = useSlow(run);
  const active = isActive(run.state);
  return useMemo(() => {
    const here = active ? known.filter((client) => client.run === run.id) : [];
    const byId = new Map(here.map((client) => [client.id, client]));
    const all = parts.map((part) => {
      const client = byId.get(part.id);
      const role = roleInRun(run, { client, part: now?.[part.id], latest: part.latest?.result });
      return { ...part, role, client };
    });
    if (!active) return all;
    const rank = ({ id, role }: RunClient): number => rankOf(role, slow.has(id));
    return all.toSorted((a, b) => rank(a) - rank(b));
  }, [run, parts, known, now, slow, active]);
}
