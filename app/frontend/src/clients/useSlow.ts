import { useMemo } from "react";
import type { Run } from "../api/types";
import { roundsOf, useStore } from "../store/store";
import { holdupsOf } from "./blockers";

/** Who takes much longer than usually in the round that goes on. */
export function useSlow(run: Run | null): ReadonlySet<string> {
  // By name, since it changes with the second and mostly says the same.
  const names = useStore((state) => {
    if (run === null) return "";
    const { slow } = holdupsOf(run, state.server.clients, roundsOf(state, run), state.now);
    return slow.map(({ id }) => id).join(" ");
  });
  return useMemo(() => new Set(names.split(" ")), [names]);
}
