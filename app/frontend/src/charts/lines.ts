/** The series of a chart's lines: what is drawn, and the names at the ends. */
import { type ColourIndex, lineStyle, type Theme } from "../clients/colours";
import { FONT_TEXT, TOKENS } from "../styles/theme";
import { downsampled } from "./downsample";
import type { LineSeriesOption } from "./echarts";
import {
  type Geometry,
  LABEL_HEIGHT,
  LABEL_LETTERS,
  LABEL_WIDTH,
  labelPlace,
  labelText,
  lastInView,
  NARROW_LABEL_LETTERS,
  NARROW_LABEL_WIDTH,
} from "./labels";
import type { Metric } from "./metrics";
import type { Places } from "./place";
import type { Line } from "./series";
import { smoothed } from "./smoothing";
import { drawn, format } from "./values";

/** Up to here each round is a visible point; beyond, points would touch. */
const MOST_POINTS = 40;
const RAW_OPACITY = 0.35;

export interface LineStyle {
  colour: string;
  dash: "solid" | "dashed" | "dotted";
  width: number;
}

/** What says how a line looks. */
export interface LookOfLines {
  colours: ColourIndex;
  theme: Theme;
  /** The line that stands for all clients, if there is one. */
  median: Line | null;
  /** Clients whose lines are in the background. */
  muted: ReadonlySet<string>;
  /** Pixels of each line, where none is the main one. */
  width?: number;
}

/** What is the same for all lines of a chart. */
export interface Lines extends LookOfLines {
  metric: Metric;
  narrow: boolean;
  places: Places;
  /** Weight of the moving average. */
  smooth: number;
}

export function styleOf(line: Pick<Line, "name" | "main">, of: LookOfLines): LineStyle {
  const tokens = TOKENS[of.theme];
  if (line.main) return { colour: tokens.text, dash: "solid", width: 2.5 };
  if (line === of.median) return { colour: tokens.dim, dash: "solid", width: 1.5 };
  if (of.muted.has(line.name)) return { colour: tokens.line, dash: "solid", width: 1.25 };
  return {
    ...lineStyle(of.colours[line.name] ?? 0, of.theme),
    width: of.width ?? (of.muted.size > 0 ? 1.75 : 1.25),
  };
}

/** A line, and behind it what it was before it was smoothed. */
export function seriesOf(
  line: Line,
  labelled: readonly Line[],
  geometry: Geometry,
  of: Lines,
): LineSeriesOption[] {
  const id = line.main ? "main" : line === of.median ? "median" : `client ${line.name}`;
  const curve = of.smooth > 0 ? { ...line, points: smoothed(line.points, of.smooth) } : line;
  const shown: LineSeriesOption = {
    ...bare(curve, geometry, of),
    id,
    endLabel: endLabel(line, labelled, geometry, of),
    labelLayout: () => labelPlace(line, labelled, of.metric, geometry, of.places),
  };
  if (of.smooth === 0) return [shown];
  const raw = bare(line, geometry, of);
  return [
    {
      ...raw,
      id: `raw ${id}`,
      lineStyle: { ...raw.lineStyle, width: 1, opacity: RAW_OPACITY },
      itemStyle: { opacity: RAW_OPACITY },
    },
    { ...shown, showSymbol: false },
  ];
}

function bare(line: Line, geometry: Geometry, of: Lines): LineSeriesOption {
  const { colour, dash, width } = styleOf(line, of);
  const { few } = line;
  const points = placed(line, geometry, of);
  const dots = points.length <= MOST_POINTS;
  return {
    name: line.name,
    type: "line",
    data: points.map(([round, x, value]) =>
      few === undefined ? [x, value] : { value: [x, value], ...symbolOf(few.has(round), dots) },
    ),
    color: colour,
    lineStyle: { width, type: dash },
    symbol: "circle",
    symbolSize: line.main ? 5 : 4,
    showSymbol: dots || few !== undefined,
    z: line.main ? 4 : 3,
    emphasis: { disabled: true },
  };
}

/** An accuracy of a few samples looks like no other. */
function symbolOf(isOfFew: boolean, dots: boolean) {
  if (isOfFew) return { symbol: "emptyDiamond", symbolSize: 9 };
  return dots ? {} : { symbol: "none" };
}

/** [round, x, value] of the points in view, no more than can be seen. */
function placed(line: Line, geometry: Geometry, { metric, places }: Lines): [number, number, number][] {
  const [from, to] = geometry.range() ?? [places.min, places.max];
  const placesOf = new Map<number, number>();
  const seen = line.points.filter(([round]) => {
    const x = places.xOf(round);
    if (x === null || x < from || x > to) return false;
    placesOf.set(round, x);
    return true;
  });
  return downsampled(seen).map(([round, value]) => [round, placesOf.get(round) ?? 0, drawn(metric, value)]);
}

function endLabel(
  line: Line,
  labelled: readonly Line[],
  geometry: Geometry,
  of: Lines,
): NonNullable<LineSeriesOption["endLabel"]> {
  const { colour } = styleOf(line, of);
  return {
    show: labelled.includes(line),
    formatter: () => {
      const value = format(of.metric, lastInView(line, geometry, of.places)?.[1]);
      return labelText(line.name, value, of.narrow ? NARROW_LABEL_LETTERS : LABEL_LETTERS);
    },
    color: of.muted.has(line.name) ? TOKENS[of.theme].dim : colour,
    fontFamily: FONT_TEXT,
    fontSize: 12,
    lineHeight: LABEL_HEIGHT,
    fontWeight: line.main ? 600 : 400,
    distance: 6,
    width: (of.narrow ? NARROW_LABEL_WIDTH : LABEL_WIDTH) - 8,
    overflow: "truncate",
  };
}
