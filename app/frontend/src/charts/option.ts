/** The ECharts option of one metric's chart. */
import type { AppLabels } from "../runs/round-words";
import { roundTitle } from "../runs/round-words";
import type { ColourIndex, Theme } from "../clients/colours";
import { FONT_TEXT, TOKENS, type Tokens } from "../styles/theme";
import { roundAxis, valueAxis } from "./axes";
import type { Spread } from "./band";
import { bandSeries } from "./band-series";
import type { ChartOption, LineSeriesOption, TooltipComponentOption } from "./echarts";
import {
  type Geometry,
  GRID_BOTTOM,
  GRID_TOP,
  LABEL_EDGE,
  LABEL_WIDTH,
  labelledLines,
  lastInView,
  NARROW_LABEL_WIDTH,
} from "./labels";
import { type Lines, seriesOf } from "./lines";
import { hasLogarithm, type Metric, startsAtZero } from "./metrics";
import { byRound, type Places } from "./place";
import { rowsAt, type RowsInput } from "./rows";
import { fitted, fromZero, type Scale } from "./scale";
import type { Line } from "./series";
import { tooltipContent, tooltipPlace, type TooltipRow } from "./tooltip";
import { drawn } from "./values";
import { DEFAULT_VIEW, type View } from "./view";

export interface ChartInput {
  metric: Metric;
  lines: readonly Line[];
  /** Who was late, by round. */
  late?: ReadonlyMap<number, readonly string[]>;
  labels?: AppLabels;
  colours: ColourIndex;
  theme: Theme;
  /** Last round on the axis. */
  end: number;
  narrow: boolean;
  /** In place of a line for each client, by round. */
  band?: readonly Spread[];
  /** Where the rounds stand, if not each at its number. */
  places?: Places;
  view?: View;
  /** Clients whose lines are in the background. */
  muted?: ReadonlySet<string>;
  /** The round that the reader keeps, marked by a line. */
  chosen?: number | null;
  /** A line without a value at a place counts with the one before it. */
  asOf?: boolean;
  /** Pixels of each line, where none is the main one. */
  width?: number;
  /** What a place is called, if not as a round. */
  titleOf?: (place: number) => string;
}

const NO_BAND: readonly Spread[] = [];
const NOBODY: ReadonlySet<string> = new Set();
const NOBODY_LATE: ReadonlyMap<number, readonly string[]> = new Map();
const NO_LABELS: AppLabels = new Map();

export function chartOption(input: ChartInput, geometry: Geometry): ChartOption {
  const {
    metric,
    labels = NO_LABELS,
    theme,
    narrow,
    band = NO_BAND,
    view = DEFAULT_VIEW,
    chosen = null,
  } = input;
  const tokens = TOKENS[theme];
  const places = input.places ?? byRound(input.end);
  const median = medianLine(band);
  const lines = median === null ? input.lines : [median, ...input.lines];
  const look: Lines = {
    ...{ metric, colours: input.colours, theme, narrow, places, median },
    smooth: view.smooth,
    muted: input.muted ?? NOBODY,
    ...(input.width === undefined ? {} : { width: input.width }),
  };
  const labelled = labelledLines(lines);
  const values = valuesInView(lines, band, metric, places, geometry);
  const log = view.log && canBeLogarithmic(metric, values);
  return {
    ...frame(tokens, narrow),
    xAxis: roundAxis(places, labels, tokens, geometry.range()),
    yAxis: valueAxis(metric, scaleOf(metric, values, log, view), log, tokens),
    tooltip: tooltip(
      geometry,
      tokens,
      (x) => places.roundOf(x),
      (round) => titleAt(round, input),
      (round) => rowsAt(round, rowsInput(input)),
    ),
    series: [
      ...(band.length > 0 ? bandSeries(band, metric, places, theme) : []),
      ...lines.flatMap((line) =>
        seriesOf(line, labelled, geometry, look).map((each) =>
          each.id === "main" ? { ...each, ...markOf(chosen, places, tokens) } : each,
        ),
      ),
    ],
  };
}

/** What the rows at a round are made of. */
export function rowsInput(input: ChartInput): RowsInput {
  const { metric, lines, late = NOBODY_LATE, colours, theme, band = NO_BAND, muted = NOBODY } = input;
  return { metric, lines, late, colours, theme, band, muted, median: null, asOf: input.asOf ?? false };
}

/** What a place is called. */
export function titleAt(
  place: number,
  { titleOf, labels = NO_LABELS }: Pick<ChartInput, "titleOf" | "labels">,
): string {
  return titleOf === undefined ? roundTitle(place, labels) : titleOf(place);
}

/** What the charts over rounds have in common: no motion, their place, and a drag that zooms. */
export function frame(tokens: Tokens, narrow: boolean): ChartOption {
  return {
    animation: false,
    textStyle: { fontFamily: FONT_TEXT, fontSize: 12, color: tokens.dim },
    grid: {
      left: 52,
      right: (narrow ? NARROW_LABEL_WIDTH : LABEL_WIDTH) + LABEL_EDGE,
      top: GRID_TOP,
      bottom: GRID_BOTTOM,
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
  };
}

/** The box with all that stands at the round under the pointer. */
export function tooltip(
  geometry: Geometry,
  tokens: Tokens,
  roundAt: (x: number) => number | null,
  titleOf: (round: number) => string,
  rows: (round: number) => TooltipRow[],
): TooltipComponentOption {
  return {
    trigger: "axis",
    appendTo: "body",
    transitionDuration: 0,
    confine: true,
    position: (point, _parameters, _box, _rect, { contentSize }) =>
      tooltipPlace(point, contentSize, geometry.window()),
    backgroundColor: tokens.raised,
    borderColor: tokens.dim,
    borderWidth: 1,
    padding: 8,
    textStyle: { color: tokens.text, fontFamily: FONT_TEXT, fontSize: 12 },
    axisPointer: { type: "line", snap: true, lineStyle: { color: tokens.dim, type: "solid" } },
    formatter: (parameters) => {
      const round = roundAt(placeOf(parameters));
      return round === null ? "" : tooltipContent(titleOf(round), rows(round));
    },
  };
}

function placeOf(parameters: unknown): number {
  const first: unknown = Array.isArray(parameters) ? parameters[0] : parameters;
  if (typeof first === "object" && first !== null && "value" in first && Array.isArray(first.value)) {
    return Number(first.value[0]);
  }
  return Number.NaN;
}

function medianLine(band: readonly Spread[]): Line | null {
  if (band.length === 0) return null;
  return { name: "median", main: false, points: band.map(({ round, median }) => [round, median]) };
}

interface ValuesInView {
  all: number[];
  /** The newest of the main line: never out of sight. */
  must: number[];
}

function valuesInView(
  lines: readonly Line[],
  band: readonly Spread[],
  metric: Metric,
  places: Places,
  geometry: Geometry,
): ValuesInView {
  const [from, to] = geometry.range() ?? [places.min, places.max];
  const isSeen = (round: number): boolean => {
    const x = places.xOf(round);
    return x !== null && x >= from && x <= to;
  };
  const points = lines.flatMap((line) => line.points.filter(([round]) => isSeen(round)));
  const ends = band.filter(({ round }) => isSeen(round)).flatMap(({ q1, q3 }) => [q1, q3]);
  const main = lines.find((line) => line.main);
  const newest = main === undefined ? undefined : lastInView(main, geometry, places);
  return {
    all: [...points.map(([, value]) => value), ...ends].map((value) => drawn(metric, value)),
    must: newest === undefined ? [] : [drawn(metric, newest[1])],
  };
}

/** An accuracy has no such axis; nor has anything with a value that is not above zero. */
export function canBeLogarithmic(metric: Metric, { all }: Pick<ValuesInView, "all">): boolean {
  return hasLogarithm(metric) && all.length > 0 && all.every((value) => value > 0);
}

function scaleOf(metric: Metric, { all, must }: ValuesInView, log: boolean, view: View): Scale | null {
  if (log) return { min: Math.min(...all), max: Math.max(...all), step: 1 };
  const whole = metric.kind === "accuracy" ? 100 : undefined;
  if (view.y === "zero" || startsAtZero(metric)) return fromZero(all, whole);
  if (all.length === 0 && whole !== undefined) return fromZero(all, whole);
  const scale = fitted(all, must);
  // Nothing is above 100 %.
  return scale !== null && whole !== undefined ? { ...scale, max: Math.min(scale.max, whole) } : scale;
}

/** The line at the round that the reader keeps. */
function markOf(chosen: number | null, places: Places, tokens: Tokens): Partial<LineSeriesOption> {
  const x = chosen === null ? null : places.xOf(chosen);
  return {
    markLine: {
      silent: true,
      symbol: "none",
      animation: false,
      label: { show: false },
      lineStyle: { color: tokens.accent, type: "dashed", width: 1 },
      data: x === null ? [] : [{ xAxis: x }],
    },
  };
}
