import { describe, expect, it } from "vitest";
import type { Geometry } from "./labels";
import type { Metric } from "./metrics";
import { chartOption, type ChartInput, rowsInput, titleAt } from "./option";
import { rowsAt } from "./rows";
import type { Line } from "./series";
import { DEFAULT_VIEW } from "./view";

const accuracy: Metric = { kind: "accuracy" };
const loss: Metric = { kind: "loss" };
const auc: Metric = { kind: "number", stage: "evaluate", name: "auc" };

const geometry: Geometry = {
  xOf: (round) => round * 10,
  yOf: (value) => 100 - value,
  height: () => 200,
  window: () => ({ left: 0, top: 0, width: 800, height: 600 }),
  range: () => null,
};

const line = (name: string, points: Line["points"], main = false): Line => ({ name, main, points });

function optionOf(changes: Partial<ChartInput>) {
  const input: ChartInput = {
    metric: accuracy,
    labels: new Map(),
    lines: [],
    late: new Map(),
    colours: {},
    theme: "dark",
    end: 10,
    narrow: false,
    ...changes,
  };
  return chartOption(input, geometry);
}

const seriesOf = (changes: Partial<ChartInput>) =>
  [optionOf(changes).series ?? []].flat().flatMap((each) => (each.type === "line" ? [each] : []));
function axisOf(changes: Partial<ChartInput>): Record<string, unknown> {
  const [axis = {}] = [optionOf(changes).yAxis ?? []].flat();
  return axis as Record<string, unknown>;
}
const many = (count: number): Line[] =>
  Array.from({ length: count }, (_, index) => line(`client-${index + 1}`, [[1, 0.5]]));

describe("lines without a main one", () => {
  const lines = [line("a", [[1, 0.5]]), line("b", [[2, 0.25]])];

  it("are as strong as is asked for", () =>
    expect(seriesOf({ lines, width: 2 }).map(({ lineStyle }) => lineStyle?.width)).toEqual([2, 2]));

  it("tell what stands at a place, or stood there last, under the name of the place", () => {
    const titleOf = (place: number) => `${place} s`;
    const input: ChartInput = { metric: accuracy, lines, colours: {}, theme: "dark", end: 2, narrow: false };
    expect(rowsAt(2, rowsInput(input)).map(({ name }) => name)).toEqual(["b"]);
    const told = rowsAt(2, rowsInput({ ...input, asOf: true })).map(({ name, text }) => [name, text]);
    expect(told).toEqual([
      ["a", "50.0 %"],
      ["b", "25.0 %"],
    ]);
    expect([titleAt(2, input), titleAt(2, { titleOf })]).toEqual(["round 2", "2 s"]);
  });
});

describe("the option of a chart", () => {
  it("draws accuracy in percent, loss as it is", () => {
    const lines = [line("global", [[1, 0.5]], true)];
    expect(seriesOf({ lines })[0]?.data).toEqual([[1, 50]]);
    expect(seriesOf({ lines, metric: loss })[0]?.data).toEqual([[1, 0.5]]);
  });

  it.each([true, false])("keeps labels clear of the chart's edge, narrow: %s", (narrow) => {
    const shown = { lines: [line("global", [[1, 1]], true)], narrow };
    const { distance = 0, width = 0 } = seriesOf(shown)[0]?.endLabel ?? {};
    const { right } = [optionOf(shown).grid ?? {}].flat()[0] ?? {};
    expect(Number(right) - distance - Number(width)).toBeGreaterThanOrEqual(8);
  });

  it("names every line at its end while there is room, beyond that the main one", () => {
    const named = (lines: Line[]) =>
      seriesOf({ lines }).flatMap((each) => (each.endLabel?.show === true ? [each.name] : []));
    const main = line("global", [[1, 0.5]], true);
    expect(named([...many(9), main])).toHaveLength(10);
    expect(named([...many(10), main])).toEqual(["global"]);
    expect(named([line("client-1", []), main])).toEqual(["global"]);
  });

  it("shows the points of a short line only", () => {
    const long: Line["points"] = Array.from({ length: 41 }, (_, round) => [round, 0.5]);
    const shown = seriesOf({ lines: [line("a", long), line("global", long.slice(1), true)], end: 50 });
    expect(shown.map(({ showSymbol }) => showSymbol)).toEqual([false, true]);
  });

  it("fits the axis to what is in view, or begins at zero", () => {
    const lines = [
      line(
        "global",
        Array.from({ length: 20 }, (_, round) => [round, round === 0 ? 0.1 : 0.978 + round / 4000]),
        true,
      ),
    ];
    expect(axisOf({ lines, end: 20 })).toMatchObject({ min: 97.8, max: 98.3 });
    expect(axisOf({ lines, end: 20, view: { ...DEFAULT_VIEW, y: "zero" } })).toMatchObject({
      min: 0,
      max: 100,
    });
    expect(axisOf({})).toMatchObject({ min: 0, max: 100 });
  });

  it("has a loss on a logarithmic axis if the reader wants that, an accuracy never", () => {
    const lines = [
      line(
        "global",
        [
          [1, 0.5],
          [2, 0.25],
        ],
        true,
      ),
    ];
    const view = { ...DEFAULT_VIEW, log: true };
    expect(axisOf({ lines, metric: loss, view })).toMatchObject({ type: "log", min: 0.25, max: 0.5 });
    expect(axisOf({ lines, view })).toMatchObject({ type: "value" });
    expect(axisOf({ lines: [line("global", [[1, 0]], true)], metric: loss, view })).toMatchObject({
      type: "value",
    });
  });

  it("draws the raw values behind a smoothed line", () => {
    const lines = [
      line(
        "global",
        [
          [1, 0.5],
          [2, 0.75],
        ],
        true,
      ),
    ];
    const drawn = seriesOf({ lines, view: { ...DEFAULT_VIEW, smooth: 0.5 } });
    expect(drawn.map(({ id }) => id)).toEqual(["raw main", "main"]);
    expect(drawn[0]?.data).toEqual([
      [1, 50],
      [2, 75],
    ]);
    expect(drawn[0]?.endLabel).toBeUndefined();
  });

  it("draws of many clients the median, and behind it two bands", () => {
    const band = [{ round: 1, clients: 60, min: 0.1, q1: 0.4, median: 0.5, q3: 0.6, max: 0.9 }];
    const all = [optionOf({ band, lines: [line("global", [[1, 0.55]], true)] }).series ?? []].flat();
    expect(all.map(({ id }) => id)).toEqual(["band all", "band half", "median", "main"]);
  });

  it("marks a value of a single sample", () => {
    const few = new Map([[2, 1]]);
    const lines: Line[] = [
      {
        ...line("a", [
          [1, 0.5],
          [2, 1],
        ]),
        few,
      },
    ];
    expect(seriesOf({ lines })[0]?.data).toEqual([
      { value: [1, 50] },
      { value: [2, 100], symbol: "emptyDiamond", symbolSize: 9 },
    ]);
  });

  it("begins at zero where the distance from it says something", () => {
    const lines = [
      line(
        "largest",
        [
          [1, 8],
          [2, 9],
        ],
        true,
      ),
    ];
    expect(axisOf({ lines, metric: { ...auc, fromZero: true } })).toMatchObject({ min: 0 });
  });

  it("has an app's own number as it is, on an axis of just what there is", () => {
    const lines = [
      line(
        "aggregate",
        [
          [1, 0.85],
          [2, 0.875],
        ],
        true,
      ),
    ];
    expect(axisOf({ lines, metric: auc })).toMatchObject({ min: 0.85, max: 0.875 });
    expect(seriesOf({ lines: [line("aggregate", [[1, 0.875]], true)], metric: auc })[0]?.data).toEqual([
      [1, 0.875],
    ]);
  });

  it("leaves room for a loss below zero", () => {
    const lines = [
      line(
        "global",
        [
          [1, 3],
          [2, -4],
        ],
        true,
      ),
    ];
    expect(axisOf({ lines, metric: loss }).min).toBeLessThanOrEqual(-4);
  });

  it("names a round as the app does too, where it counts otherwise", () => {
    const ticks = (labels: ReadonlyMap<number, string>) => {
      const [axis] = [optionOf({ labels }).xAxis ?? []].flat();
      const words = axis?.axisLabel?.formatter as (value: number) => string;
      return [axis?.name, ...[0, 2, 2.5, 3].map(words)];
    };
    expect(ticks(new Map())).toEqual(["round", "0", "2", "", "3"]);
    expect(
      ticks(
        new Map([
          [2, "1"],
          [3, "warm-up-17"],
        ]),
      ),
    ).toEqual(["round (app's)", "0", "2 (1)", "", "3 (warm-…)"]);
  });
});
