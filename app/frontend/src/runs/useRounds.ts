import { useEffect, useState } from "react";
import { fetchRounds } from "../api/http";
import { roundsFetched, shownRun, useStore } from "../store/store";

/** Fetches the rounds of the shown run when they did not come over the socket. Returns why that failed, or null. */
export function useRounds(): string | null {
  const runId = useStore((state) => shownRun(state)?.id);
  const known = useStore((state) => runId === undefined || state.server.roundsKnown[runId] === true);
  const instance = useStore((state) => state.server.instance);
  const connected = useStore((state) => state.connection.state === "connected");
  const [failure, setFailure] = useState<{ runId: string; message: string } | null>(null);

  useEffect(() => {
    if (runId === undefined || known || !connected) return;
    let wanted = true;
    fetchRounds(runId)
      .then((rounds) => {
        roundsFetched(runId, instance, rounds);
        if (wanted) setFailure(null);
      })
      .catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        if (wanted)
          setFailure({ runId, message: `The curves of run ${runId} could not be loaded: ${message}` });
      });
    return () => {
      wanted = false;
    };
  }, [runId, known, connected, instance]);

  return failure !== null && failure.runId === runId && !known ? failure.message : null;
}
