import { useState } from "react";
import type { LogEntry } from "../api/types";
import { useStore } from "../store/store";

const NONE: readonly LogEntry[] = [];

/** Errors that came while the reader looked at something else. */
export function useUnseenErrors(looking: boolean): readonly LogEntry[] {
  const logs = useStore((state) => state.server.logs);
  const newest = logs.at(-1)?.seq ?? 0;
  /** The newest that was there when the reader left the events; null: the reader is there. */
  const [left, setLeft] = useState<number | null>(null);
  if (looking && left !== null) setLeft(null);
  if (!looking && left === null) setLeft(newest);
  if (looking || left === null) return NONE;
  return logs.filter(({ seq, level }) => seq > left && level === "error");
}
