/** The axes of a chart over rounds: rounds or time to the right, values upwards. */
import { clock, duration } from "../format/format";
import { FONT_MONO, type Tokens } from "../styles/theme";
import { type AppLabels, shortLabel } from "../runs/round-words";
import type { RoundAxis, ValueAxis } from "./echarts";
import type { Metric } from "./metrics";
import type { Places } from "./place";
import type { Scale } from "./scale";
import { tickWords } from "./values";

/** The rounds, up to the last that has room on the axis; behind each the app's own number, where it has another. */
export function roundAxis(
  places: Places,
  labels: AppLabels,
  tokens: Tokens,
  range: readonly [number, number] | null = null,
): RoundAxis {
  const labelled = places.kind === "round" && labels.size > 0;
  const [from, to] = range ?? [places.min, places.max];
  return {
    type: "value",
    name: labelled ? "round (app's)" : places.kind,
    nameLocation: "end",
    // Beside the last tick, which is wider where it has both numbers, or is a time.
    nameGap: labelled || places.kind === "clock" ? 28 : 12,
    nameTextStyle: { color: tokens.dim, verticalAlign: "top", padding: [7, 0, 0, 0] },
    min: places.min,
    max: places.max,
    ...(places.kind === "round" ? { minInterval: 1 } : { interval: timeStep(to - from) }),
    // At the bottom also where values are below zero.
    axisLine: { onZero: false, lineStyle: { color: tokens.line } },
    axisTick: { lineStyle: { color: tokens.line } },
    axisLabel: {
      color: tokens.dim,
      fontFamily: FONT_MONO,
      hideOverlap: true,
      formatter: (value: number) => placeWords(places, value, labels),
    },
    splitLine: { show: false },
  };
}

function placeWords({ kind }: Places, value: number, labels: AppLabels): string {
  if (kind === "elapsed") return duration(value);
  if (kind === "clock") return clock(value);
  return Number.isInteger(value) ? tickOf(value, labels) : "";
}

function tickOf(round: number, labels: AppLabels): string {
  const label = labels.get(round);
  return label === undefined ? String(round) : `${round} (${shortLabel(label, 6)})`;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const TIME_STEPS = [1, 2, 5, 10, 15, 30]
  .concat([1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE))
  .concat([1, 2, 3, 6, 12, 24].map((hours) => hours * HOUR));
const MOST_TICKS = 5;

/** Seconds between two ticks of a time axis of so many seconds. */
export function timeStep(seconds: number): number {
  const whole = TIME_STEPS.find((step) => seconds / step <= MOST_TICKS);
  return whole ?? Math.ceil(seconds / MOST_TICKS / (24 * HOUR)) * 24 * HOUR;
}

/** Upwards, between the ends of a scale; without one, of a metric that nobody has a value of yet. */
export function valueAxis(metric: Metric, scale: Scale | null, log: boolean, tokens: Tokens): ValueAxis {
  const { min, max, step } = scale ?? EMPTY;
  const common = {
    min,
    max,
    axisLabel: {
      color: tokens.dim,
      fontFamily: FONT_MONO,
      hideOverlap: true,
      formatter: (value: number) => tickWords(metric, value),
    },
    splitLine: { lineStyle: { color: tokens.line } },
  };
  if (!log) return { ...common, type: "value", interval: step };
  // Of less than a power and a half of ten, powers of two: else there would be a single tick.
  return { ...common, type: "log", logBase: Math.log10(max / min) > 1.5 ? 10 : 2 };
}

const EMPTY: Scale = { min: 0, max: 1, step: 0.25 };
