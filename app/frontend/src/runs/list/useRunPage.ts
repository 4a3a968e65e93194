import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { fetchRuns } from "../../api/requests";
import type { Run, RunList, RunListQuery } from "../../api/types";
import { useStore } from "../../store/store";

/** Runs that are asked for at once. */
const PAGE_RUNS = 100;

interface RunPageOf {
  list: RunList | undefined;
  error: Error | null;
}

/** The part of the list in which a place is; places of one part ask once. */
function useRunPage(query: RunListQuery, place: number): RunPageOf {
  const instance = useStore((state) => state.server.instance);
  const connected = useStore((state) => state.connection.state === "connected");
  // Whatever puts another run into the list, or one elsewhere.
  const version = useStore((state) =>
    state.server.runs.map(({ id, state: is, name, tags }) => [id, is, name, ...tags].join()).join(";"),
  );
  const offset = Math.floor(place / PAGE_RUNS) * PAGE_RUNS;
  const { data, error } = useQuery({
    queryKey: ["runs", instance, query, offset, version],
    queryFn: () => fetchRuns({ ...query, offset, limit: PAGE_RUNS }),
    enabled: connected && instance !== null,
    placeholderData: keepPreviousData,
  });
  return { list: data, error };
}

export function useFirstRuns(query: RunListQuery): RunPageOf {
  return useRunPage(query, 0);
}

/** The run at a place of the list, as new as it is known, and what its clients have sent. */
export function useRunAt(
  query: RunListQuery,
  place: number,
): { run: Run | undefined; received: number | undefined } {
  const { list } = useRunPage(query, place);
  const listed = list?.runs[place % PAGE_RUNS];
  const live = useStore((state) => state.server.runs.find(({ id }) => id === listed?.id));
  return { run: live ?? listed, received: listed === undefined ? undefined : list?.received[listed.id] };
}
