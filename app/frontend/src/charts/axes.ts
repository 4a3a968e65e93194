/** The axes of a metric's chart: rounds to the right, values upwards. */
import { FONT_MONO, type Tokens } from "../styles/theme";
import { type AppLabels, shortLabel } from "../runs/round-words";
import type { RoundAxis } from "./echarts";
import type { Metric } from "./metrics";
import { tickWords } from "./values";

/** Lower ends of the accuracy axis that leave round numbers on its ticks. */
const ACCURACY_STARTS = [0, 20, 40, 50, 60, 70, 80, 90, 95, 98] as const;

/** The rounds, up to the last that has room on the axis; behind each the app's own number, where it has another. */
export function roundAxis(end: number, labels: AppLabels, tokens: Tokens): RoundAxis {
  const labelled = labels.size > 0;
  return {
    type: "value",
    name: labelled ? "round (app's)" : "round",
    nameLocation: "end",
    // Beside the last tick, which is wider where it has both numbers.
    nameGap: labelled ? 28 : 8,
    nameTextStyle: { color: tokens.dim, verticalAlign: "top", padding: [7, 0, 0, 0] },
    min: 0,
    max: end,
    minInterval: 1,
    // At the bottom also where values are below zero.
    axisLine: { onZero: false, lineStyle: { color: tokens.line } },
    axisTick: { lineStyle: { color: tokens.line } },
    axisLabel: {
      color: tokens.dim,
      fontFamily: FONT_MONO,
      hideOverlap: true,
      formatter: (value: number) => (Number.isInteger(value) ? tickOf(value, labels) : ""),
    },
    splitLine: { show: false },
  };
}

function tickOf(round: number, labels: AppLabels): string {
  const label = labels.get(round);
  return label === undefined ? String(round) : `${round} (${shortLabel(label, 6)})`;
}

export function valueAxis(metric: Metric, tokens: Tokens) {
  const common = {
    type: "value",
    splitNumber: 5,
    axisLabel: {
      color: tokens.dim,
      fontFamily: FONT_MONO,
      hideOverlap: true,
      formatter: (value: number) => tickWords(metric, value),
    },
    splitLine: { lineStyle: { color: tokens.line } },
  } as const;
  // Another app's loss may be anything, a log-likelihood for one.
  if (metric.kind === "loss") return { ...common, min: ({ min }: { min: number }) => Math.min(0, min) };
  if (metric.kind === "epsilon") return { ...common, min: 0 };
  // What another app's number means nobody knows: the axis has just what there is.
  if (metric.kind === "number") return { ...common, scale: true };
  // From just below the lowest value in view, so that late rounds can be told apart once zoomed.
  return { ...common, min: ({ min }: { min: number }) => accuracyStart(min), max: 100 };
}

function accuracyStart(lowest: number): number {
  return ACCURACY_STARTS.findLast((start) => start <= lowest) ?? 0;
}
