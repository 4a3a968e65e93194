/** The names at the lines' ends: which lines have one, and where it stands. */
import type { Metric } from "./metrics";
import type { Places } from "./place";
import type { Line, Point } from "./series";
import { drawn } from "./values";

/** Beyond this number of clients only the main line has a label; the others are named on hover. */
const MOST_LABELS = 9;
export const LABEL_WIDTH = 136;
export const NARROW_LABEL_WIDTH = 112;
/** So many letters have room in a label. */
export const LABEL_LETTERS = 18;
export const NARROW_LABEL_LETTERS = 15;
/** Pixels between a label and the chart's edge, at least. */
export const LABEL_EDGE = 8;
export const LABEL_HEIGHT = 16;
export const GRID_TOP = 8;
export const GRID_BOTTOM = 28;

/** What the labels ask of the drawn chart. */
export interface Geometry {
  /** Pixels from the left of a place on the axis, and from the top of a value. */
  xOf: (x: number) => number;
  yOf: (value: number) => number;
  /** Pixels of the canvas. */
  height: () => number;
  /** The browser's window, as seen from the chart's corner. */
  window: () => { left: number; top: number; width: number; height: number };
  /** The ends of what is in view, as places on the axis, or null for all. */
  range: () => readonly [number, number] | null;
}

/** "client-3  97.6 %"; a long name gives way in its middle, since its end often is what tells it from others. */
export function labelText(name: string, value: string, letters: number): string {
  const room = letters - 2 - value.length;
  if (name.length <= room) return `${name}  ${value}`;
  const tail = Math.max(1, Math.floor((room - 1) / 2));
  const head = Math.max(1, room - 1 - tail);
  return `${name.slice(0, head)}…${name.slice(-tail)}  ${value}`;
}

/** Those of the lines that have a label at their end. */
export function labelledLines(lines: readonly Line[]): Line[] {
  return lines.filter((line) => line.points.length > 0 && (line.main || lines.length - 1 <= MOST_LABELS));
}

/** The last of a line's points that has a place and is in view. */
export function lastInView(line: Line, geometry: Geometry, places: Places): Point | undefined {
  const [from, to] = geometry.range() ?? [places.min, places.max];
  return line.points.findLast(([round]) => {
    const x = places.xOf(round);
    return x !== null && x >= from && x <= to;
  });
}

/** Labels of lines that end close together stand one under the other, within the plot. */
export function labelPlace(
  line: Line,
  labels: readonly Line[],
  metric: Metric,
  geometry: Geometry,
  places: Places,
) {
  const ends = labels.flatMap((other) => {
    const point = lastInView(other, geometry, places);
    const at = point === undefined ? null : places.xOf(point[0]);
    return point === undefined || at === null
      ? []
      : [{ other, x: geometry.xOf(at), y: geometry.yOf(drawn(metric, point[1])) }];
  });
  const x = ends.find(({ other }) => other === line)?.x;
  if (x === undefined) return {};
  // A client that left rounds ago has its label far to the left, where it is in nobody's way.
  const beside = ends.filter((end) => Math.abs(end.x - x) < LABEL_WIDTH);
  const low = GRID_TOP + LABEL_HEIGHT / 2;
  const high = geometry.height() - GRID_BOTTOM - LABEL_HEIGHT / 2;
  const spaced = spread(
    beside.map(({ y }) => y),
    LABEL_HEIGHT,
    low,
    high,
  );
  const y = spaced[beside.findIndex(({ other }) => other === line)];
  return y === undefined || !Number.isFinite(y) ? {} : { y, verticalAlign: "middle" as const };
}

/**
 * Moves label centres apart to at least `gap`, each as near to its wanted place as that allows, all within
 * [low, high] where they fit. Keeps their order; returns them in the order given.
 */
export function spread(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  const placed = new Array<number>(wanted.length).fill(0);
  let floor = low;
  for (const index of order) {
    placed[index] = Math.max(wanted[index] ?? 0, floor);
    floor = (placed[index] ?? 0) + gap;
  }
  let ceiling = high;
  for (const index of order.reverse()) {
    placed[index] = Math.min(placed[index] ?? 0, ceiling);
    ceiling = (placed[index] ?? 0) - gap;
  }
  return placed;
}
