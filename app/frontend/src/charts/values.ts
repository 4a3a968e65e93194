/** How a metric's values are drawn and written. */
import { loss, percent } from "../format/format";
import type { Metric } from "./series";

/** Accuracy is drawn in percent, since ECharts finds rounder ticks there than between 0 and 1. */
export const SCALE: Record<Metric, number> = { accuracy: 100, loss: 1 };

export function format(metric: Metric, value: number | null | undefined): string {
  return metric === "accuracy" ? percent(value) : loss(value);
}
