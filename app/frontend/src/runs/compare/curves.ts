/** The curves of compared runs: which there are, and what the chart draws. Pure functions. */
import type { ComparedRun } from "../../api/types";
import { type Metric, metricOf, titleOf } from "../../charts/metrics";
import { byRound, type Places } from "../../charts/place";
import type { Line } from "../../charts/series";
import { count, duration } from "../../format/format";

export const AXES = ["round", "time"] as const;
export type Axis = (typeof AXES)[number];

/** As the server calls them; what is not among these is a number of another Flower app. */
const KNOWN = ["accuracy", "loss", "train_loss", "epsilon", "duration_s"];

/** All metrics that any of the runs has, those that all know first. */
export function metricsOf(runs: readonly ComparedRun[]): string[] {
  const names = new Set(runs.flatMap(({ curves }) => Object.keys(curves.values)));
  return [
    ...KNOWN.filter((name) => names.has(name)),
    ...[...names].filter((name) => !KNOWN.includes(name)).sort(),
  ];
}

export function metricTitle(name: string): string {
  if (name === "train_loss") return "training loss";
  return name === "duration_s" ? "seconds per round" : titleOf(kindOf(name));
}

/** How its values are drawn and written. */
export function kindOf(name: string): Metric {
  if (name === "train_loss") return { kind: "loss" };
  return name === "duration_s" ? { kind: "number", stage: "", name } : metricOf(name);
}

/** A line for each run, in their order: at each of its rounds, or at the seconds from its start to that round's end. */
export function curvesOf(runs: readonly ComparedRun[], metric: string, axis: Axis): Line[] {
  return runs.map(({ run, curves }) => {
    const values = curves.values[metric] ?? [];
    const points = curves.rounds.flatMap((round, index): Line["points"] => {
      const value = values[index] ?? null;
      const x = axis === "round" ? round : (curves.elapsed_s[index] ?? null);
      return value === null || x === null ? [] : [[x, value]];
    });
    return { name: nameOf(run), main: false, points };
  });
}

/** The axis of these places; they are their own. */
export function placesAt(axis: Axis, stops: readonly number[]): Places {
  const last = stops.at(-1) ?? 0;
  const end = last > 0 ? last : 1;
  if (axis === "round") return byRound(end);
  return { kind: "elapsed", xOf: (x) => x, roundOf: (x) => x, min: 0, max: end };
}

/** "round 12", "1:20 after the start" */
export function placeTitle(axis: Axis, x: number): string {
  return axis === "round" ? `round ${count(x)}` : `${duration(x)} after the start`;
}

/** With its id, since several may have the same name. */
export function nameOf({ id, name }: Pick<ComparedRun["run"], "id" | "name">): string {
  return name === null ? id : `${name} (${id})`;
}
