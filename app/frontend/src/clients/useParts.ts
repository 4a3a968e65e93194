import { useMemo } from "react";
import { useShallow } from "zustand/react/shallow";
import type { Run } from "../api/types";
import { roundsOf, useStore } from "../store/store";
import { natural } from "../store/server-state";
import { deliveredIn, newestParts, type Part, withNewer } from "./parts";
import { useDelivered } from "./useDelivered";

const SEPARATOR = "\n";

/** Everyone who had a part in a run, with what they did in it, in natural order; the same for any run, over or not. */
export function useParts(run: Run | null): readonly Part[] {
  const rounds = useStore((state) => roundsOf(state, run));
  // The same array until another is complete: those before it are looked through once for each.
  const complete = useStore(useShallow((state) => roundsOf(state, run).filter((round) => round.complete)));
  const settled = useMemo(() => newestParts(complete), [complete]);
  const counted = useMemo(() => deliveredIn(complete), [complete]);
  const delivered = useDelivered(run) ?? counted;
  const newest = useMemo(
    () => withNewer(settled, newestParts(rounds.filter((round) => !round.complete))),
    [settled, rounds],
  );
  // The run itself names those alone that were there in its newest round. Who they are changes seldom, and to put a
  // thousand in order takes long.
  const names = [...new Set([...(run?.clients ?? []), ...newest.keys(), ...delivered.keys()])].join(
    SEPARATOR,
  );
  const ids = useMemo(() => (names === "" ? [] : names.split(SEPARATOR).sort(natural.compare)), [names]);
  return useMemo(
    () => ids.map((id) => ({ id, delivered: delivered.get(id) ?? 0, ...newest.get(id) })),
    [ids, delivered, newest],
  );
}
