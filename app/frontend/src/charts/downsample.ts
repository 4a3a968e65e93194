/** Fewer points that look the same. */
import type { Point } from "./series";

/** A curve has at most so many; there are hardly more pixels. */
export const MOST_DRAWN = 1000;

/**
 * Largest triangle three buckets (Steinarsson 2013): of each bucket of points the one that stands out most between the
 * one chosen before it and the mean of the next bucket. The first and the last stay.
 */
export function downsampled(points: readonly Point[], most = MOST_DRAWN): readonly Point[] {
  const first = points[0];
  const last = points.at(-1);
  if (points.length <= most || most < 3 || first === undefined || last === undefined) return points;
  const width = (points.length - 2) / (most - 2);
  const bucket = (index: number): readonly Point[] =>
    points.slice(Math.floor(index * width) + 1, Math.floor((index + 1) * width) + 1);
  const chosen: Point[] = [first];
  let before = first;
  for (let index = 0; index < most - 2; index++) {
    const next = index === most - 3 ? [last] : bucket(index + 1);
    const mean = meanOf(next);
    before = bucket(index).reduce((best, point) =>
      areaOf(before, point, mean) > areaOf(before, best, mean) ? point : best,
    );
    chosen.push(before);
  }
  chosen.push(last);
  return chosen;
}

function meanOf(points: readonly Point[]): Point {
  const sum = points.reduce<Point>(([x, y], [a, b]) => [x + a, y + b], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

/** Twice the area of a triangle. */
function areaOf(a: Point, b: Point, c: Point): number {
  return Math.abs((a[0] - c[0]) * (b[1] - a[1]) - (a[0] - b[0]) * (c[1] - a[1]));
}
