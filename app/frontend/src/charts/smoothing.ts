/** The exponential moving average of a curve. */
import type { Point } from "./series";

/**
 * Each value with a share of what was before it; `weight` in [0, 1) is that share. The start is not drawn to zero: the
 * average is divided by the weights that are in it so far, as TensorBoard does.
 */
export function smoothed(points: readonly Point[], weight: number): Point[] {
  let mean = 0;
  let missing = 1;
  return points.map(([round, value]) => {
    mean = weight * mean + (1 - weight) * value;
    missing *= weight;
    return [round, mean / (1 - missing)];
  });
}
