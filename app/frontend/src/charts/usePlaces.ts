import { useMemo } from "react";
import type { Round } from "../api/types";
import { shownRun, useStore } from "../store/store";
import { type Course, type Places, placesOf } from "./place";
import type { XKind } from "./view";

/** Where the rounds of the shown run stand: the same while its progress alone changes, so that nothing is drawn for that. */
export function usePlaces(kind: XKind, rounds: readonly Round[]): Places {
  const known = useStore((state) => shownRun(state) !== null);
  const num_rounds = useStore((state) => shownRun(state)?.num_rounds ?? null);
  const started_at = useStore((state) => shownRun(state)?.started_at ?? null);
  const created_at = useStore((state) => shownRun(state)?.created_at ?? 0);
  return useMemo(() => {
    const course: Course | null = known ? { num_rounds, started_at, created_at } : null;
    return placesOf(kind, course, rounds);
  }, [kind, known, num_rounds, started_at, created_at, rounds]);
}
