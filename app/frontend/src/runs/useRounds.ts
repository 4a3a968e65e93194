import { useQuery } from "@tanstack/react-query";
import { roundsFetched, shownRun, useStore } from "../store/store";
import { loadRounds } from "./load-rounds";

/** Fetches the rounds of the shown run when they did not come over the socket. Returns why that failed, or null. */
export function useRounds(): string | null {
  const runId = useStore((state) => shownRun(state)?.id);
  const known = useStore((state) => runId === undefined || state.server.roundsKnown[runId] === true);
  const instance = useStore((state) => state.server.instance);
  const connected = useStore((state) => state.connection.state === "connected");
  const { error } = useQuery({
    queryKey: ["rounds", instance, runId],
    // They are kept in the store, where the live ones are added; here is only whether the asking went well.
    queryFn: async () => {
      const run = shownRun(useStore.getState());
      if (run !== null && run.id === runId)
        await loadRounds(run, (rounds, areAll) => roundsFetched(run.id, instance, rounds, areAll));
      return true;
    },
    enabled: !known && connected,
    gcTime: 0,
  });
  if (error === null || known || runId === undefined) return null;
  return `The curves of run ${runId} could not be loaded: ${error.message}`;
}
