import { useEffect, useRef, useState } from "react";
import { fetchCheckpoints } from "../api/http";
import type { Checkpoint } from "../api/types";

/** Rounds may end faster than a list of files is worth asking for. */
const LEAST_GAP_MS = 1000;

export type Checkpoints =
  | { state: "loading" }
  | { state: "failed"; reason: string }
  | { state: "loaded"; checkpoints: readonly Checkpoint[] };

/** The run's checkpoints, newest first; asked for again whenever `version` changes. */
export function useCheckpoints(runId: string, version: string): Checkpoints {
  const [answer, setAnswer] = useState<{ runId: string; known: Checkpoints }>({
    runId,
    known: { state: "loading" },
  });
  const askedAt = useRef({ runId, time: 0 });
  const subject = useRef(runId);

  useEffect(() => {
    subject.current = runId;
    const age = askedAt.current.runId === runId ? Date.now() - askedAt.current.time : Infinity;
    const timer = setTimeout(
      () => {
        askedAt.current = { runId, time: Date.now() };
        void load(runId).then((known) => {
          if (subject.current === runId) setAnswer({ runId, known });
        });
      },
      Math.max(0, LEAST_GAP_MS - age),
    );
    return () => clearTimeout(timer);
  }, [runId, version]);

  return answer.runId === runId ? answer.known : { state: "loading" };
}

async function load(runId: string): Promise<Checkpoints> {
  try {
    const checkpoints = await fetchCheckpoints(runId);
    return { state: "loaded", checkpoints: checkpoints.sort((a, b) => b.round - a.round) };
  } catch (error) {
    return { state: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}
