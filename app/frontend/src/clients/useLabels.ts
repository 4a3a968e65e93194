import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { fetchLabels } from "../api/requests";
import type { Client, Run } from "../api/types";
import { useStore } from "../store/store";

export type Labels = ReadonlyMap<string, readonly number[]>;

/** Training samples by label that each client had in a run: as it tells now, or as it told in that run. */
export function useLabels(run: Run | null): Labels {
  const clients = useStore((state) => state.server.clients);
  const instance = useStore((state) => state.server.instance);
  const connected = useStore((state) => state.connection.state === "connected");
  const { data } = useQuery({
    queryKey: ["labels", instance, run?.id],
    queryFn: () => fetchLabels(run?.id ?? ""),
    enabled: connected && run !== null && run.spec.app === null,
    gcTime: 0,
  });
  return useMemo(() => labelsOf(run, clients, data ?? {}), [run, clients, data]);
}

/** What a client tells of this run is newer than what was kept of it. */
export function labelsOf(
  run: Pick<Run, "id"> | null,
  clients: readonly Client[],
  kept: Readonly<Record<string, readonly number[]>>,
): Labels {
  const labels = new Map(Object.entries(kept));
  for (const client of clients) {
    if (client.run === run?.id && client.label_counts !== null) labels.set(client.id, client.label_counts);
  }
  return labels;
}
