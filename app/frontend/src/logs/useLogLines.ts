import { useThrottledValue } from "@mantine/hooks";
import { useQueries, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { fetchLogBlock, fetchLogCounts } from "../api/requests";
import type { LogCounts, LogEntry } from "../api/types";
import { useStore } from "../store/store";
import { countsOf, isOf, type KindCounts, kindOf, type LogFilter, queryOf, sumOf } from "./filter";
import { linesCounted, tailTooLong, useTail, watchTail } from "./tail";

/** Lines that are asked for together. */
const BLOCK = 100;
/** Of a reader who drags the scroll bar, so often it is asked for what is passed by. */
const ASK_MS = 80;
const COUNT_AGAIN_MS = 60_000;
/** New lines beside those that were counted; with more, it is counted anew. */
const MOST_FRESH = 2_000;

export interface LogLines {
  /** undefined: not known yet. */
  counts: KindCounts | undefined;
  /** How many lines pass the filter. */
  total: number;
  /** undefined: it is being loaded. */
  entryAt: (index: number) => LogEntry | undefined;
  /** These rows are in view. */
  look: (first: number, last: number) => void;
  /** Tells lines of other counts apart: an index means another line then. */
  generation: string;
  failure: string | null;
}

/** The lines that pass a filter: those in view from the server, new ones as they come. */
export function useLogLines(filter: LogFilter): LogLines {
  useEffect(watchTail, []);
  const instance = useStore((state) => state.server.instance);
  const runs = useStore((state) => state.server.runs);
  const { epoch, following, lines } = useTail();
  const [view, setView] = useState<readonly [number, number]>([0, 0]);
  const asked = useThrottledValue(view, ASK_MS);

  const query = useMemo(() => queryOf(filter), [filter]);
  const ofAllKinds = useMemo(() => queryOf({ ...filter, kinds: [] }), [filter]);
  const counting = useQuery({
    queryKey: ["log counts", instance, ofAllKinds, epoch],
    queryFn: () => fetchLogCounts(ofAllKinds),
    enabled: following,
    refetchInterval: COUNT_AGAIN_MS,
    structuralSharing: keepWhileTheFirstStays,
    placeholderData: (before, { queryKey } = {} as never) =>
      sameFilter(queryKey, instance, ofAllKinds) ? before : undefined,
    gcTime: 0,
  });
  const counted = counting.data;
  const last = counted?.last ?? Infinity;
  const settled = !counting.isPlaceholderData;

  const fresh = useMemo(
    () => lines.filter((entry) => entry.seq > last && isOf(entry, filter, runs)),
    [lines, last, filter, runs],
  );
  const tail = useMemo(() => {
    const { kinds } = filter;
    return kinds.length === 0 ? fresh : fresh.filter((entry) => kinds.includes(kindOf(entry)));
  }, [fresh, filter]);
  useEffect(() => {
    if (settled && last !== Infinity) linesCounted(last);
  }, [settled, last]);
  useEffect(() => {
    if (lines.length > MOST_FRESH && settled && (lines[0]?.seq ?? 0) > last) tailTooLong();
  }, [lines, settled, last]);

  const kept = counted === undefined ? 0 : sumOf(counted, filter.kinds);
  const generation = JSON.stringify([instance, query, counted?.first]);
  const [firstBlock, blocks] = blocksOf(asked, kept);
  const loaded = useQueries({
    queries: blocks.map(({ skip, limit }) => ({
      queryKey: ["log block", generation, query, skip, limit],
      queryFn: () => fetchLogBlock(query, skip, limit),
      staleTime: Infinity,
      gcTime: 60_000,
    })),
  });
  return {
    counts: counted && countsOf(counted, fresh),
    total: kept + tail.length,
    entryAt: (index) =>
      index >= kept
        ? tail[index - kept]
        : loaded[Math.floor(index / BLOCK) - firstBlock]?.data?.[index % BLOCK],
    look: (first, end) => {
      if (first !== view[0] || end !== view[1]) setView([first, end]);
    },
    generation,
    failure: (counting.error ?? loaded.find(({ error }) => error !== null)?.error)?.message ?? null,
  };
}

/** New lines are counted here; only when old ones are forgotten, another index belongs to each of the others. */
function keepWhileTheFirstStays(before: unknown, now: unknown): unknown {
  return (before as LogCounts | undefined)?.first === (now as LogCounts).first ? before : now;
}

function sameFilter(key: readonly unknown[] | undefined, instance: string | null, query: object): boolean {
  return key?.[1] === instance && JSON.stringify(key[2]) === JSON.stringify(query);
}

/** The blocks that the rows in view are in and those beside them, of `kept` rows. */
function blocksOf(
  [first, last]: readonly [number, number],
  kept: number,
): [number, { skip: number; limit: number }[]] {
  const from = Math.max(0, Math.floor(first / BLOCK) - 1);
  const to = Math.min(Math.ceil(kept / BLOCK), Math.floor(last / BLOCK) + 2);
  const blocks = [];
  for (let block = from; block < to; block += 1) {
    const skip = block * BLOCK;
    blocks.push({ skip, limit: Math.min(BLOCK, kept - skip) });
  }
  return [from, blocks];
}
