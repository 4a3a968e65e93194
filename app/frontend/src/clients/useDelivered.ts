import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useShallow } from "zustand/react/shallow";
import { fetchDelivered } from "../api/requests";
import type { Run } from "../api/types";
import { PARTS_KEPT } from "../store/rounds";
import { roundsOf, useStore } from "../store/store";
import { deliveredIn } from "./parts";

/** The server counts anew for each so many parts: those that have come since are still here to be counted. */
const PARTS_BETWEEN = PARTS_KEPT / 2;

/**
 * By client, in how many rounds of a run its update counted, where the page does not keep all clients' parts of it;
 * undefined: it does, or does not know yet. What the server has counted, and the rounds since.
 */
export function useDelivered(run: Run | null): ReadonlyMap<string, number> | undefined {
  const instance = useStore((state) => state.server.instance);
  const connected = useStore((state) => state.connection.state === "connected");
  const parts = run === null ? 0 : run.clients.length * run.round;
  const runId = run?.id ?? "";
  const { data } = useQuery({
    queryKey: ["delivered", instance, runId, Math.floor(parts / PARTS_BETWEEN)],
    queryFn: () => fetchDelivered(runId),
    enabled: connected && parts > PARTS_KEPT,
    placeholderData: (before, query) => (query?.queryKey[2] === runId ? before : undefined),
    gcTime: 0,
  });
  const later = useStore(
    useShallow((state) =>
      data === undefined
        ? NONE
        : roundsOf(state, run).filter(({ round, complete }) => complete && round > data.round),
    ),
  );
  return useMemo(() => {
    if (data === undefined) return undefined;
    const delivered = new Map(Object.entries(data.delivered));
    for (const [id, since] of deliveredIn(later)) delivered.set(id, (delivered.get(id) ?? 0) + since);
    return delivered;
  }, [data, later]);
}

const NONE: never[] = [];
