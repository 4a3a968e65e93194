import { type KeyboardEvent, useMemo, useState } from "react";
import { movedBy } from "../charts/cursor";
import type { Axis } from "./series";

const STEP_S = 2;
/** Of a long axis, so many steps lead from one end to the other. */
const STEPS = 450;

export interface TimeCursor {
  /** From 0 to 1, of the axis and not of the clock: what is pointed at stays under the pointer while time goes on. Null: now. */
  part: number | null;
  /** Unix seconds; null: now. */
  at: number | null;
  move: (part: number | null) => void;
  /** The keys of all charts; escape goes back to now. */
  onKeyDown: (event: KeyboardEvent) => void;
}

/** One time for the charts of all nodes, by mouse and by keys. */
export function useTimeCursor({ since, span }: Axis): TimeCursor {
  const [part, move] = useState<number | null>(null);
  const stops = useMemo(() => {
    const steps = Math.min(STEPS, Math.floor(span / STEP_S));
    return Array.from({ length: steps + 1 }, (_, step) => step / steps);
  }, [span]);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const to = movedBy(event.key, part, stops);
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  };
  return { part, at: part === null ? null : since + part * span, move, onKeyDown };
}
