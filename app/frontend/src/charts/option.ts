/** The ECharts option of one metric's chart. */
import { type AppLabels, roundTitle } from "../runs/round-words";
import { lineStyle, type ColourIndex, type Theme } from "../clients/colours";
import { FONT_TEXT, TOKENS, type Tokens } from "../styles/theme";
import { roundAxis, valueAxis } from "./axes";
import type { ChartOption, LineSeriesOption, TooltipComponentOption } from "./echarts";
import {
  type Geometry,
  GRID_BOTTOM,
  GRID_TOP,
  LABEL_HEIGHT,
  LABEL_WIDTH,
  labelledLines,
  labelPlace,
  lastInView,
  NARROW_LABEL_WIDTH,
} from "./labels";
import type { Metric } from "./metrics";
import { type Line, valuesAt } from "./series";
import { tooltipContent, tooltipPlace, type TooltipRow } from "./tooltip";
import { drawn, format } from "./values";

/** Up to here each round is a visible point; beyond, points would touch. */
const MOST_POINTS = 40;

export interface ChartInput {
  metric: Metric;
  lines: readonly Line[];
  /** Who was late, by round. */
  late: ReadonlyMap<number, readonly string[]>;
  labels: AppLabels;
  colours: ColourIndex;
  theme: Theme;
  /** Last round on the axis. */
  end: number;
  narrow: boolean;
}

export function chartOption(input: ChartInput, geometry: Geometry): ChartOption {
  const { metric, lines, labels, theme, end, narrow } = input;
  const tokens = TOKENS[theme];
  const labelled = labelledLines(lines);
  return {
    animation: false,
    textStyle: { fontFamily: FONT_TEXT, fontSize: 12, color: tokens.dim },
    grid: {
      left: 52,
      right: narrow ? NARROW_LABEL_WIDTH : LABEL_WIDTH,
      top: GRID_TOP,
      bottom: GRID_BOTTOM,
    },
    xAxis: roundAxis(end, labels, tokens),
    yAxis: valueAxis(metric, tokens),
    tooltip: tooltip(input, geometry, tokens),
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
    series: lines.map((line) => series(line, input, labelled, geometry)),
  };
}

function tooltip(input: ChartInput, geometry: Geometry, tokens: Tokens): TooltipComponentOption {
  return {
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
      return tooltipContent(roundTitle(round, input.labels), rowsAt(round, input));
    },
  };
}

function roundOf(parameters: unknown): number {
  const first: unknown = Array.isArray(parameters) ? parameters[0] : parameters;
  if (typeof first === "object" && first !== null && "value" in first && Array.isArray(first.value)) {
    return Number(first.value[0]);
  }
  return 0;
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

function styleOf({ name, main }: Pick<Line, "name" | "main">, colours: ColourIndex, theme: Theme) {
  if (main) return { colour: TOKENS[theme].text, dash: "solid" } as const;
  return lineStyle(colours[name] ?? 0, theme);
}

function series(
  line: Line,
  input: ChartInput,
  labelled: readonly Line[],
  geometry: Geometry,
): LineSeriesOption {
  const { metric, colours, theme, narrow } = input;
  const { colour, dash } = styleOf(line, colours, theme);
  return {
    id: line.main ? "main" : `client ${line.name}`,
    name: line.name,
    type: "line",
    data: line.points.map(([round, value]) => [round, drawn(metric, value)]),
    color: colour,
    lineStyle: { width: line.main ? 2.5 : 1.25, type: dash },
    symbol: "circle",
    symbolSize: line.main ? 5 : 4,
    showSymbol: line.points.length <= MOST_POINTS,
    z: line.main ? 4 : 3,
    emphasis: { disabled: true },
    endLabel: {
      show: labelled.includes(line),
      formatter: () => `${line.name}  ${format(metric, lastInView(line, geometry)?.[1])}`,
      color: colour,
      fontFamily: FONT_TEXT,
      fontSize: 12,
      lineHeight: LABEL_HEIGHT,
      fontWeight: line.main ? 600 : 400,
      distance: 6,
      width: (narrow ? NARROW_LABEL_WIDTH : LABEL_WIDTH) - 8,
      overflow: "truncate",
    },
    labelLayout: () => labelPlace(line, labelled, metric, geometry),
  };
}
