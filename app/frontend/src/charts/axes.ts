/** The axes of a metric's chart: rounds to the right, values upwards. */
import { FONT_MONO, type Tokens } from "../styles/theme";
import type { RoundAxis } from "./echarts";
import type { Metric } from "./series";

/** Lower ends of the accuracy axis that leave round numbers on its ticks. */
const ACCURACY_STARTS = [0, 20, 40, 50, 60, 70, 80, 90, 95, 98] as const;

/** The rounds, up to the last that has room on the axis. */
export function roundAxis(end: number, tokens: Tokens): RoundAxis {
  return {
    type: "value",
    name: "round",
    nameLocation: "end",
    nameGap: 8,
    nameTextStyle: { color: tokens.dim, verticalAlign: "top", padding: [7, 0, 0, 0] },
    min: 0,
    max: end,
    minInterval: 1,
    axisLine: { lineStyle: { color: tokens.line } },
    axisTick: { lineStyle: { color: tokens.line } },
    axisLabel: {
      color: tokens.dim,
      fontFamily: FONT_MONO,
      formatter: (value: number) => (Number.isInteger(value) ? String(value) : ""),
    },
    splitLine: { show: false },
  };
}

export function valueAxis(metric: Metric, tokens: Tokens) {
  const common = {
    type: "value",
    splitNumber: 5,
    axisLabel: {
      color: tokens.dim,
      fontFamily: FONT_MONO,
      formatter: (value: number) => (metric === "accuracy" ? `${value} %` : String(value)),
    },
    splitLine: { lineStyle: { color: tokens.line } },
  } as const;
  // Another app's loss may be anything, a log-likelihood for one.
  if (metric === "loss") return { ...common, min: ({ min }: { min: number }) => Math.min(0, min) };
  // From just below the lowest value in view, so that late rounds can be told apart once zoomed.
  return { ...common, min: ({ min }: { min: number }) => accuracyStart(min), max: 100 };
}

function accuracyStart(lowest: number): number {
  return ACCURACY_STARTS.findLast((start) => start <= lowest) ?? 0;
}
