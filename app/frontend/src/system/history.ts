/** How much of the past the page of the machines shows. Pure functions. */
import { WINDOW_S } from "../store/usages";

/** As they stand in the address. */
export const HISTORIES = ["15m", "1h", "12h", "24h"] as const;
export type History = (typeof HISTORIES)[number];

export interface Extent {
  words: string;
  /** Seconds. */
  span: number;
  /** So many of each node are asked for. */
  points: number;
}

export const EXTENTS: Record<History, Extent> = {
  "15m": { words: "15 min", span: WINDOW_S, points: 90 },
  "1h": { words: "1 h", span: 3600, points: 120 },
  "12h": { words: "12 h", span: 12 * 3600, points: 720 },
  "24h": { words: "24 h", span: 24 * 3600, points: 720 },
};

/** More than the socket's tale of the last while: the server has to be asked again now and then. */
export function isLong({ span }: Extent): boolean {
  return span > WINDOW_S;
}

/** About as many steps as there are pixels: a long axis is drawn anew only when it has moved by one. */
const STEPS = 900;

/** Where the axis ends. */
export function endOf(extent: Extent, now: number): number {
  if (!isLong(extent)) return now;
  const step = extent.span / STEPS;
  return Math.ceil(now / step) * step;
}

/** A longer gap is one in the line, too: three readings are missing, or so many points of which each stands for `step` seconds. */
export function gapOf(step: number): number {
  return Math.max(30, 2.5 * step);
}
