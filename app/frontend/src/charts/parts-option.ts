/** The ECharts option of the bars of what each round was spent on. */
import type { Theme } from "../clients/colours";
import { type AppLabels, roundTitle } from "../runs/round-words";
import { FONT_MONO, TOKENS } from "../styles/theme";
import { roundAxis } from "./axes";
import type { ChartOption, CustomSeriesOption } from "./echarts";
import { type Geometry, GRID_BOTTOM, GRID_TOP, LABEL_HEIGHT } from "./labels";
import { frame, tooltip } from "./option";
import { amount, type Bar, grouped, PARTS, totalOf } from "./parts";
import type { Places } from "./place";
import { fromZero } from "./scale";
import type { TooltipRow } from "./tooltip";
import type { PanelKind } from "./view";

/** More would be thinner than a pixel or two. */
const MOST_BARS = 240;
const WIDEST_PX = 24;
const SHARE_OF_STEP = 0.7;

export interface PartsInput {
  kind: PanelKind;
  bars: readonly Bar[];
  places: Places;
  labels: AppLabels;
  theme: Theme;
  narrow: boolean;
}

export function partsOption(input: PartsInput, geometry: Geometry): ChartOption {
  const { kind, bars, places, labels, theme, narrow } = input;
  const tokens = TOKENS[theme];
  const [from, to] = geometry.range() ?? [places.min, places.max];
  const seen = bars.filter(({ round }) => {
    const x = places.xOf(round);
    return x !== null && x >= from && x <= to;
  });
  const shown = grouped(seen, MOST_BARS);
  const scale = fromZero(shown.map(totalOf)) ?? { min: 0, max: 1, step: 1 };
  const steps = (scale.max - scale.min) / scale.step;
  const room = (geometry.height() - GRID_TOP - GRID_BOTTOM) / LABEL_HEIGHT;
  return {
    ...frame(tokens, narrow),
    xAxis: roundAxis(places, labels, tokens, geometry.range()),
    yAxis: {
      type: "value",
      min: scale.min,
      max: scale.max,
      // Of a low chart some steps have no label.
      interval: scale.step * Math.max(1, Math.ceil(steps / room)),
      axisLabel: {
        color: tokens.dim,
        fontFamily: FONT_MONO,
        hideOverlap: true,
        formatter: (value: number) => (value === 0 ? "0" : amount(kind, value)),
      },
      splitLine: { lineStyle: { color: tokens.line } },
    },
    tooltip: tooltip(
      geometry,
      tokens,
      (x) => places.roundOf(x),
      (round) => roundTitle(round, labels),
      (round) => partRows(round, input),
    ),
    series: [stacked(shown, input, stepOf(shown, to - from, places), from)],
  };
}

/** From one bar to the next on the axis; by time, on the average. */
function stepOf(shown: readonly Bar[], span: number, { kind }: Places): number {
  const [first, second] = shown;
  if (kind !== "round") return span / Math.max(1, shown.length);
  return first === undefined || second === undefined ? 1 : second.round - first.round;
}

/** Around its place, but not over what stands at the axis. */
function beside(axis: number, at: number, width: number): { x: number; width: number } {
  const x = Math.max(axis, at - width / 2);
  return { x, width: Math.max(1, at + width / 2 - x) };
}

/** Each part on top of the one before. */
function stacked(
  shown: readonly Bar[],
  { kind, places, theme }: PartsInput,
  step: number,
  from: number,
): CustomSeriesOption {
  const tokens = TOKENS[theme];
  return {
    id: kind,
    type: "custom",
    data: shown.flatMap((bar) => {
      const x = places.xOf(bar.round);
      return x === null ? [] : [[x, totalOf(bar), ...bar.values]];
    }),
    encode: { x: 0, y: 1 },
    clip: false, // the last bar stands at the end of the axis, half of it behind
    renderItem: (_, api) => {
      const x = Number(api.value(0));
      const size = api.size?.([step, 0]);
      const pixels = Array.isArray(size) ? (size[0] ?? WIDEST_PX) : (size ?? WIDEST_PX);
      const width = Math.max(1, Math.min(WIDEST_PX, pixels * SHARE_OF_STEP));
      const [axis = 0] = api.coord([from, 0]);
      let below = 0;
      const children = PARTS[kind].map((part, index) => {
        const value = Number(api.value(index + 2));
        const [left = 0, bottom = 0] = api.coord([x, below]);
        const [, top = 0] = api.coord([x, below + value]);
        below += value;
        return {
          type: "rect" as const,
          shape: { ...beside(axis, left, width), y: top, height: Math.max(0, bottom - top) },
          style: { fill: tokens[part.colour] },
        };
      });
      return { type: "group", children };
    },
  };
}

/** The parts of one round, from the top of its bar down, and their sum. */
export function partRows(
  round: number,
  { kind, bars, theme }: Pick<PartsInput, "kind" | "bars" | "theme">,
): TooltipRow[] {
  const bar = bars.find((each) => each.round === round);
  if (bar === undefined) return [];
  const rows = PARTS[kind].map(({ name, colour }, index): TooltipRow => ({
    name,
    text: amount(kind, bar.values[index] ?? 0),
    colour: TOKENS[theme][colour],
    dash: "solid",
    strong: false,
  }));
  const total: TooltipRow = {
    name: "together",
    text: amount(kind, totalOf(bar)),
    colour: "transparent",
    dash: "solid",
    strong: true,
  };
  return [total, ...rows.reverse()];
}
