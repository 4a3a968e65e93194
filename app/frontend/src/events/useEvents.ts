import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { fetchRunLogs } from "../api/requests";
import type { LogEntry } from "../api/types";
import { LOG_LIMIT } from "../store/server-state";
import { pastRun, shownRun, useStore } from "../store/store";
import { countByFilter, type FilterCounts, countsOf, ofRun } from "./filters";

/** What arrives later is counted here; now and then the server counts anew, since the oldest are let go here. */
const COUNT_AGAIN_MS = 15_000;

interface Events {
  /** Those that the page holds, oldest first. */
  logs: readonly LogEntry[];
  /** How many there are, whether the page holds them or not. */
  counts: FilterCounts;
  /** How many of these are on their way here at the most: the server's answer may be ahead of the socket. */
  arriving: number;
  /** Why those of a past run are not there. */
  failure: string | null;
  loading: boolean;
}

const NONE: readonly LogEntry[] = [];

/** What happened in the shown run: live, or from the server's store where other runs have been since. */
export function useEvents(): Events {
  const live = useStore((state) => state.server.logs);
  const run = useStore((state) => shownRun(state)?.id ?? null);
  const past = useStore((state) => pastRun(state) !== null);
  const instance = useStore((state) => state.server.instance);
  const snapshot = useStore((state) => state.server.snapshotSeq);
  const connected = useStore((state) => state.connection.state === "connected");
  const { data, error } = useQuery({
    queryKey: ["run logs", instance, run, past, past ? 0 : snapshot],
    queryFn: () => fetchRunLogs(run ?? "", past ? LOG_LIMIT : 1),
    refetchInterval: past ? false : COUNT_AGAIN_MS,
    enabled: connected && run !== null,
    gcTime: 0,
  });
  const logs = useMemo(() => (past ? (data?.logs ?? NONE) : ofRun(live, run)), [live, data, run, past]);
  const counts = useMemo(
    () => (data === undefined ? countByFilter(logs) : countsOf(data.counts, logs)),
    [data, logs],
  );
  const ahead = past || data === undefined ? 0 : data.counts.last - (live.at(-1)?.seq ?? 0);
  return {
    logs,
    counts,
    arriving: Math.max(0, ahead),
    failure: past ? (error?.message ?? null) : null,
    loading: past && data === undefined,
  };
}
