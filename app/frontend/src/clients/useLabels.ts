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
  // Asked for anew when one of them was forgotten, who tells nothing here any more.
  const told = clients.filter((client) => tellsOf(client, run)).length;
  const { data } = useQuery({
    queryKey: ["labels", instance, run?.id, told],
    queryFn: () => fetchLabels(run?.id ?? ""),
    enabled: connected && run !== null && run.spec.app === null,
    placeholderData: (before, query) => (query?.queryKey[2] === run?.id ? before : undefined),
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
    if (tellsOf(client, run)) labels.set(client.id, client.label_counts);
  }
  return labels;
}

function tellsOf(
  client: Client,
  run: Pick<Run, "id"> | null,
): client is Client & { label_counts: readonly number[] } {
  return client.run === run?.id && client.label_counts !== null;
}
