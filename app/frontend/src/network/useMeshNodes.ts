import { useThrottledValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { fetchMesh } from "../api/requests";
import type { MeshBlock, MeshNode } from "../api/types";
import { useStore } from "../store/store";

const LEAST_GAP_MS = 500;
/** Latencies change without an event. */
const EVERY_MS = 2000;
const NONE: readonly MeshNode[] = [];
const NOBODY: readonly MeshBlock[] = [];
export const MESH = "mesh";

interface MeshNodes {
  nodes: readonly MeshNode[];
  /** For whom the server does not vouch. */
  blocks: readonly MeshBlock[];
  /** Whether they were fetched, once. */
  known: boolean;
  failure: string | null;
}

/** What the clients tell of the mesh: asked for again whenever one of them tells more, comes or goes, and now and then. */
export function useMeshNodes(): MeshNodes {
  const told = useStore(({ server: { instance, clients } }) =>
    [
      instance,
      ...clients.flatMap(({ id, state, connected_at, mesh }) =>
        mesh === null
          ? []
          : [
              `${id} ${state === "lost"} ${connected_at} ${mesh.online} ${mesh.rounds} ${mesh.progress?.rounds ?? 0}`,
            ],
      ),
    ].join(),
  );
  const asked = useThrottledValue(told, LEAST_GAP_MS);
  const connected = useStore((state) => state.connection.state === "connected");
  const { data, error } = useQuery({
    queryKey: [MESH, asked],
    queryFn: fetchMesh,
    placeholderData: keepPreviousData,
    refetchInterval: EVERY_MS,
    enabled: connected,
    gcTime: 0,
  });
  return {
    nodes: data?.nodes ?? NONE,
    blocks: data?.blocked ?? NOBODY,
    known: data !== undefined,
    failure: error?.message ?? null,
  };
}
