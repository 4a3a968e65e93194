/** The ECharts option of one metric's chart. */
import { lineStyle, type ColourIndex, type Theme } from "../clients/colours";
import { loss, percent } from "../format/format";
import { FONT_MONO, FONT_TEXT, TOKENS, type Tokens } from "../styles/theme";
import type { ChartOption, LineSeriesOption } from "./echarts";
import { type Line, type Metric, spread, valuesAt } from "./series";
import { tooltipContent, tooltipPlace, type TooltipRow } from "./tooltip";

/** Up to here each round is a visible point; beyond, points would touch. */
const MOST_POINTS = 40;
/** Beyond this number of clients only the main line has a label; the others are named on hover. */
const MOST_LABELS = 9;
const LABEL_WIDTH = 120;
const LABEL_HEIGHT = 16;
const GRID_TOP = 8;
const GRID_BOTTOM = 28;
/** Lower ends of the accuracy axis that leave round numbers on its ticks. */
const ACCURACY_STARTS = [0, 20, 40, 50, 60, 70, 80, 90, 95, 98] as const;
/** Accuracy is drawn in percent, since ECharts finds rounder ticks there than between 0 and 1. */
const SCALE: Record<Metric, number> = { accuracy: 100, loss: 1 };

export interface ChartInput {
  metric: Metric;
  lines: readonly Line[];
  /** Who was late, by round. */
  late: ReadonlyMap<number, readonly string[]>;
  colours: ColourIndex;
  theme: Theme;
  /** Last round on the axis. */
  end: number;
  narrow: boolean;
}

/** What the labels ask of the drawn chart. */
export interface Geometry {
  /** Pixels from the left of a round, and from the top of a value. */
  xOf: (round: number) => number;
  yOf: (value: number) => number;
  /** Pixels of the canvas. */
  height: () => number;
  /** The browser's window, as seen from the chart's corner. */
  window: () => { left: number; top: number; width: number; height: number };
  /** First and last round in view, or null for all. */
  range: () => readonly [number, number] | null;
}

export function format(metric: Metric, value: number | null | undefined): string {
  return metric === "accuracy" ? percent(value) : loss(value);
}

export function styleOf({ name, main }: Pick<Line, "name" | "main">, colours: ColourIndex, theme: Theme) {
  if (main) return { colour: TOKENS[theme].text, dash: "solid" } as const;
  return lineStyle(colours[name] ?? 0, theme);
}

export function chartOption(input: ChartInput, geometry: Geometry): ChartOption {
  const { metric, lines, theme, end, narrow } = input;
  const tokens = TOKENS[theme];
  const labels = lines.filter(
    (line) => line.points.length > 0 && (line.main || lines.length - 1 <= MOST_LABELS),
  );
  return {
    animation: false,
    textStyle: { fontFamily: FONT_TEXT, fontSize: 12, color: tokens.dim },
    grid: { left: 52, right: narrow ? 104 : LABEL_WIDTH, top: GRID_TOP, bottom: GRID_BOTTOM },
    xAxis: {
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
        formatter: (value) => (Number.isInteger(value) ? String(value) : ""),
      },
      splitLine: { show: false },
    },
    yAxis: { ...valueAxis(metric, tokens), splitLine: { lineStyle: { color: tokens.line } } },
    tooltip: {
      trigger: "axis",
      appendTo: "body",
      transitionDuration: 0,
      position: (point, _parameters, _box, _rect, { contentSize }) =>
        tooltipPlace(point, contentSize, geometry.window()),
      backgroundColor: tokens.raised,
      borderColor: tokens.dim,
      borderWidth: 1,
      padding: 8,
      textStyle: { color: tokens.text, fontFamily: FONT_TEXT, fontSize: 12 },
      axisPointer: { type: "line", snap: true, lineStyle: { color: tokens.dim, type: "solid" } },
      formatter: (parameters) => {
        const round = roundOf(parameters);
        return tooltipContent(`round ${round}`, rowsAt(round, input));
      },
    },
    // No button: the page arms the zoom itself and a double click resets it.
    toolbox: {
      show: true,
      itemSize: 0,
      top: -40,
      feature: {
        dataZoom: {
          yAxisIndex: "none",
          filterMode: "filter",
          icon: { zoom: "path://M0 0", back: "path://M0 0" },
          brushStyle: { color: tokens.accent, opacity: 0.16, borderWidth: 0 },
        },
      },
    },
    series: lines.map((line) => series(line, input, labels, geometry)),
  };
}

/** Every value at a round, then who was late and has none. */
function rowsAt(round: number, { metric, lines, late, colours, theme }: ChartInput): TooltipRow[] {
  const values = valuesAt(lines, round, metric).map(({ line, value }) => ({
    name: line.name,
    strong: line.main,
    text: format(metric, value),
    ...styleOf(line, colours, theme),
  }));
  const known = new Set(values.map(({ name }) => name));
  const without = (late.get(round) ?? []).filter((name) => !known.has(name));
  return [
    ...values,
    ...without.map((name) => ({
      name,
      strong: false,
      text: "late",
      ...styleOf({ name, main: false }, colours, theme),
    })),
  ];
}

function valueAxis(metric: Metric, tokens: Tokens) {
  const common = {
    type: "value",
    splitNumber: 5,
    axisLabel: {
      color: tokens.dim,
      fontFamily: FONT_MONO,
      formatter: (value: number) => (metric === "accuracy" ? `${value} %` : String(value)),
    },
  } as const;
  // Another app's loss may be anything, a log-likelihood for one.
  if (metric === "loss") return { ...common, min: ({ min }: { min: number }) => Math.min(0, min) };
  // From just below the lowest value in view, so that late rounds can be told apart once zoomed.
  return { ...common, min: ({ min }: { min: number }) => accuracyStart(min), max: 100 };
}

function accuracyStart(lowest: number): number {
  return ACCURACY_STARTS.findLast((start) => start <= lowest) ?? 0;
}

function series(
  line: Line,
  input: ChartInput,
  labels: readonly Line[],
  geometry: Geometry,
): LineSeriesOption {
  const { metric, colours, theme, narrow } = input;
  const { colour, dash } = styleOf(line, colours, theme);
  return {
    id: line.main ? "main" : `client ${line.name}`,
    name: line.name,
    type: "line",
    data: line.points.map(([round, value]) => [round, value * SCALE[metric]]),
    color: colour,
    lineStyle: { width: line.main ? 2.5 : 1.25, type: dash },
    symbol: "circle",
    symbolSize: line.main ? 5 : 4,
    showSymbol: line.points.length <= MOST_POINTS,
    z: line.main ? 4 : 3,
    emphasis: { disabled: true },
    endLabel: {
      show: labels.includes(line),
      formatter: () => `${line.name}  ${format(metric, lastInView(line, geometry)?.[1])}`,
      color: colour,
      fontFamily: FONT_TEXT,
      fontSize: 12,
      lineHeight: LABEL_HEIGHT,
      fontWeight: line.main ? 600 : 400,
      distance: 6,
      width: (narrow ? 104 : LABEL_WIDTH) - 8,
      overflow: "truncate",
    },
    labelLayout: () => labelPlace(line, labels, metric, geometry),
  };
}

function lastInView(line: Line, geometry: Geometry): [number, number] | undefined {
  const range = geometry.range();
  return range === null
    ? line.points.at(-1)
    : line.points.findLast(([round]) => round >= range[0] && round <= range[1]);
}

/** Labels of lines that end close together stand one under the other, within the plot. */
function labelPlace(line: Line, labels: readonly Line[], metric: Metric, geometry: Geometry) {
  const ends = labels.flatMap((other) => {
    const point = lastInView(other, geometry);
    return point === undefined
      ? []
      : [{ other, x: geometry.xOf(point[0]), y: geometry.yOf(point[1] * SCALE[metric]) }];
  });
  const x = ends.find(({ other }) => other === line)?.x;
  if (x === undefined) return {};
  // A client that left rounds ago has its label far to the left, where it is in nobody's way.
  const beside = ends.filter((end) => Math.abs(end.x - x) < LABEL_WIDTH);
  const low = GRID_TOP + LABEL_HEIGHT / 2;
  const high = geometry.height() - GRID_BOTTOM - LABEL_HEIGHT / 2;
  const places = spread(
    beside.map(({ y }) => y),
    LABEL_HEIGHT,
    low,
    high,
  );
  const y = places[beside.findIndex(({ other }) => other === line)];
  return y === undefined || !Number.isFinite(y) ? {} : { y, verticalAlign: "middle" as const };
}

function roundOf(parameters: unknown): number {
  const first: unknown = Array.isArray(parameters) ? parameters[0] : parameters;
  if (typeof first === "object" && first !== null && "value" in first && Array.isArray(first.value)) {
    return Number(first.value[0]);
  }
  return 0;
}
