/** How a metric's values are drawn and written. */
import { epsilon, loss, number, percent } from "../format/format";
import type { Metric } from "./metrics";

/** Accuracy is drawn in percent, since ECharts finds rounder ticks there than between 0 and 1. */
const SCALE: Record<Metric["kind"], number> = {
  accuracy: 100,
  loss: 1,
  train_loss: 1,
  epsilon: 1,
  number: 1,
};

export function drawn({ kind }: Metric, value: number): number {
  return value * SCALE[kind];
}

const FORMATS: Record<Metric["kind"], (value: number | null | undefined) => string> = {
  accuracy: percent,
  loss,
  train_loss: loss,
  epsilon,
  number,
};

export function format({ kind }: Metric, value: number | null | undefined): string {
  return FORMATS[kind](value);
}

const SHORT = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 4 });

/** A value beside its axis, in at most seven characters: "95 %", "0.25", "12.5K", "1.5e-5". */
export function tickWords({ kind }: Metric, value: number): string {
  if (kind === "accuracy") return `${rounded(value)} %`;
  const size = Math.abs(value);
  if (size >= 10_000) return size < 1e15 ? SHORT.format(value) : value.toExponential(1);
  return size > 0 && size < 1e-3 ? value.toExponential(1) : rounded(value);
}

/** Without what a computer's fractions leave behind. */
function rounded(value: number): string {
  return String(Number(value.toPrecision(5)));
}
