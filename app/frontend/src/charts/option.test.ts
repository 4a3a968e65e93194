import { describe, expect, it } from "vitest";
import type { Geometry } from "./labels";
import type { Metric } from "./metrics";
import { chartOption, type ChartInput } from "./option";
import type { Line } from "./series";

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

const seriesOf = (changes: Partial<ChartInput>) => [optionOf(changes).series ?? []].flat();
const many = (count: number): Line[] =>
  Array.from({ length: count }, (_, index) => line(`client-${index + 1}`, [[1, 0.5]]));

describe("the option of a chart", () => {
  it("draws accuracy in percent, loss as it is", () => {
    const lines = [line("global", [[1, 0.5]], true)];
    expect(seriesOf({ lines })[0]?.data).toEqual([[1, 50]]);
    expect(seriesOf({ lines, metric: loss })[0]?.data).toEqual([[1, 0.5]]);
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
    const shown = seriesOf({ lines: [line("a", long), line("global", long.slice(1), true)] });
    expect(shown.map(({ showSymbol }) => showSymbol)).toEqual([false, true]);
  });

  it("begins the axis of accuracy just below the lowest value in view", () => {
    const [axis] = [optionOf({}).yAxis ?? []].flat();
    const start = axis?.min as unknown as (values: { min: number }) => number;
    expect([3, 47, 91.5, 99].map((min) => start({ min }))).toEqual([0, 40, 90, 98]);
  });

  it("has an app's own number as it is, on an axis of just what there is", () => {
    const [axis] = [optionOf({ metric: auc }).yAxis ?? []].flat();
    expect(axis).toMatchObject({ scale: true });
    expect(axis).not.toHaveProperty("max");
    expect(seriesOf({ lines: [line("aggregate", [[1, 0.875]], true)], metric: auc })[0]?.data).toEqual([
      [1, 0.875],
    ]);
  });

  it("leaves room for a loss below zero", () => {
    const [axis] = [optionOf({ metric: loss }).yAxis ?? []].flat();
    const start = axis?.min as unknown as (values: { min: number }) => number;
    expect([start({ min: 0.3 }), start({ min: -4 })]).toEqual([0, -4]);
  });

  it("names a round as the app does too, where it counts otherwise", () => {
    const ticks = (labels: ChartInput["labels"]) => {
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
