import { useThrottledValue } from "@mantine/hooks";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { fetchAuditEntries } from "../api/requests";
import type { AuditEntry } from "../api/types";

const PAGE = 50;

/** Rounds may end faster than a list of entries is worth asking for. */
const LEAST_GAP_MS = 1000;

interface Entries {
  /** Newest first; undefined while they are loaded for the first time. */
  entries: readonly AuditEntry[] | undefined;
  /** Why they are not there. */
  failure: string | null;
  /** Loads those before; null where there are none, or they are being loaded. */
  older: (() => void) | null;
}

/** The log's entries, asked for again whenever its `size` changes. */
export function useEntries(size: number): Entries {
  const asked = useThrottledValue(size, LEAST_GAP_MS);
  const { data, error, hasNextPage, isFetching, fetchNextPage } = useInfiniteQuery({
    queryKey: ["audit", asked],
    queryFn: ({ pageParam }) => fetchAuditEntries(pageParam, PAGE),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => {
      const oldest = last.at(-1)?.index ?? 0;
      return oldest > 0 ? oldest : undefined;
    },
    placeholderData: keepPreviousData,
    gcTime: 0,
  });
  return {
    entries: data?.pages.flat(),
    failure: error?.message ?? null,
    older: hasNextPage && !isFetching ? () => void fetchNextPage() : null,
  };
}
