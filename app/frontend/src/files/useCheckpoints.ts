import { useThrottledValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { fetchCheckpoints } from "../api/requests";
import type { Checkpoint } from "../api/types";

/** Rounds may end faster than a list of files is worth asking for. */
const LEAST_GAP_MS = 1000;

interface Checkpoints {
  /** Undefined while they are loaded for the first time. */
  checkpoints: readonly Checkpoint[] | undefined;
  /** Why they are not there. */
  failure: string | null;
}

/** The run's checkpoints, newest first; asked for again whenever `version` changes. Mounted anew for each run. */
export function useCheckpoints(runId: string, version: string): Checkpoints {
  const asked = useThrottledValue(version, LEAST_GAP_MS);
  const { data, error } = useQuery({
    queryKey: ["checkpoints", runId, asked],
    queryFn: async () => (await fetchCheckpoints(runId)).sort((a, b) => b.round - a.round),
    placeholderData: keepPreviousData,
    gcTime: 0,
  });
  return { checkpoints: data, failure: error?.message ?? null };
}
