import { useQuery } from "@tanstack/react-query";
import { RequestFailed } from "../api/http";
import { fetchRun } from "../api/requests";
import { runFetched, useStore } from "../store/store";

/** Whether a run is in the store, where an older one comes when it is asked for. */
export type RunThere = "there" | "asked for" | "nowhere" | { failed: string };

export function useRun(id: string): RunThere {
  const there = useStore((state) => state.server.runs.some((run) => run.id === id));
  const instance = useStore((state) => state.server.instance);
  const connected = useStore((state) => state.connection.state === "connected");
  const { error } = useQuery({
    queryKey: ["run", instance, id],
    // It is kept in the store, which follows what becomes of it; here is only whether the asking went well.
    queryFn: async () => {
      runFetched(await fetchRun(id), instance);
      return true;
    },
    enabled: !there && connected && instance !== null,
    gcTime: 0,
  });
  if (there) return "there";
  if (error instanceof RequestFailed && error.status === 404) return "nowhere";
  return error === null ? "asked for" : { failed: error.message };
}
