/** The bands behind the median: the middle half of the clients, and fainter all of them. */
import type { Theme } from "../clients/colours";
import { TOKENS } from "../styles/theme";
import type { Spread } from "./band";
import { MOST_DRAWN } from "./downsample";
import type { CustomSeriesOption } from "./echarts";
import type { Metric } from "./metrics";
import type { Places } from "./place";
import { drawn } from "./values";

const OPACITY = { all: 0.12, half: 0.22 } as const;

export function bandSeries(
  band: readonly Spread[],
  metric: Metric,
  places: Places,
  theme: Theme,
): CustomSeriesOption[] {
  const shown = widest(band, MOST_DRAWN / 2);
  const between = (low: (spread: Spread) => number, high: (spread: Spread) => number): Edge[] =>
    shown.flatMap((spread) => {
      const x = places.xOf(spread.round);
      return x === null ? [] : [[x, drawn(metric, low(spread)), drawn(metric, high(spread))] as const];
    });
  return [
    areaBetween(
      "band all",
      between(
        ({ min }) => min,
        ({ max }) => max,
      ),
      theme,
      OPACITY.all,
    ),
    areaBetween(
      "band half",
      between(
        ({ q1 }) => q1,
        ({ q3 }) => q3,
      ),
      theme,
      OPACITY.half,
    ),
  ];
}

/** [x, lower, upper] */
type Edge = readonly [number, number, number];

/** One polygon, drawn with the first of its rounds: pieces for each would show their seams. */
function areaBetween(id: string, edges: readonly Edge[], theme: Theme, opacity: number): CustomSeriesOption {
  return {
    id,
    type: "custom",
    data: edges.map((edge) => [...edge]),
    encode: { x: 0, y: [1, 2] },
    clip: true,
    silent: true,
    z: 2,
    renderItem: ({ dataIndexInside }, api) => {
      if (dataIndexInside > 0) return null;
      const upper = edges.map(([x, , high]) => api.coord([x, high]));
      const lower = edges.map(([x, low]) => api.coord([x, low])).reverse();
      return {
        type: "polygon",
        silent: true,
        shape: { points: [...upper, ...lower] },
        style: { fill: TOKENS[theme].dim, opacity },
      };
    },
  };
}

/** Of many rounds, some beside each other become one that has room for all of them. */
export function widest(band: readonly Spread[], most: number): readonly Spread[] {
  if (band.length <= most) return band;
  const width = Math.ceil(band.length / most);
  return Array.from({ length: Math.ceil(band.length / width) }, (_, index) => {
    const together = band.slice(index * width, (index + 1) * width);
    return together.reduce((one, other) => ({
      ...one,
      min: Math.min(one.min, other.min),
      q1: Math.min(one.q1, other.q1),
      q3: Math.max(one.q3, other.q3),
      max: Math.max(one.max, other.max),
    }));
  });
}
