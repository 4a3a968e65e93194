/** Which metric each of the two charts shows. Pure functions. */
import type { Round } from "../api/types";
import { appMetrics, hasValues, keyOf, type Metric, metricOf } from "./metrics";
import { mainPoints, sourceOf } from "./series";

/** The charts, by what each shows where nothing else was chosen. */
export const SLOTS = ["accuracy", "loss"] as const;
export type Slot = (typeof SLOTS)[number];

/** The reader's choice, by chart, as `keyOf` names it. */
export type Chosen = Readonly<Partial<Record<Slot, string>>>;
export type Shown = Readonly<Record<Slot, Metric>>;

/** What the built-in app's charts show, and those of any run before it has numbers. */
export const FIRST: Shown = { accuracy: { kind: "accuracy" }, loss: { kind: "loss" } };

/** What the charts of a private run show: what it costs stands beside what it is worth. */
export const FIRST_OF_PRIVATE: Shown = { accuracy: { kind: "accuracy" }, loss: { kind: "epsilon" } };

const OF_BUILT_IN: readonly Metric[] = [...Object.values(FIRST), { kind: "train_loss" }];
const OF_PRIVATE: readonly Metric[] = [...OF_BUILT_IN, FIRST_OF_PRIVATE.loss];

/** All that a chart of the built-in app's run could show. */
export function offeredOfBuiltIn(isPrivate: boolean): readonly Metric[] {
  return isPrivate ? OF_PRIVATE : OF_BUILT_IN;
}

/** What the reader chose for the built-in app's runs, of what there is in this one. */
export function shownOfBuiltIn(isPrivate: boolean, chosen: Chosen): Shown {
  const offered = offeredOfBuiltIn(isPrivate);
  const first = isPrivate ? FIRST_OF_PRIVATE : FIRST;
  const of = (slot: Slot): Metric => offered.find((metric) => keyOf(metric) === chosen[slot]) ?? first[slot];
  return { accuracy: of("accuracy"), loss: of("loss") };
}

/** All that a chart of another app's run could show, accuracy and loss first. */
export function offeredMetrics(rounds: readonly Round[]): Metric[] {
  return [...Object.values(FIRST), ...appMetrics(rounds)].filter((metric) => hasValues(rounds, metric));
}

/**
 * What the charts of another app's run show: what the reader chose, else accuracy and loss. Once it is `settled` what
 * the run has, a chart without a value gives way to the first number that the other chart does not show.
 */
export function shownMetrics(
  rounds: readonly Round[],
  offered: readonly Metric[],
  chosen: Chosen,
  settled: boolean,
): Shown {
  const shown = { accuracy: wanted("accuracy", chosen), loss: wanted("loss", chosen) };
  if (!settled) return shown;
  const isOffered = (metric: Metric): boolean => offered.some((other) => keyOf(other) === keyOf(metric));
  for (const slot of SLOTS) {
    if (isOffered(shown[slot])) continue;
    const beside = shown[slot === "accuracy" ? "loss" : "accuracy"];
    const own = FIRST[slot];
    const candidates = isOffered(own) ? [own, ...offered] : offered;
    shown[slot] = candidates.find((metric) => !drawsTheSame(rounds, metric, beside)) ?? own;
  }
  return shown;
}

function wanted(slot: Slot, chosen: Chosen): Metric {
  const key = chosen[slot];
  return key === undefined ? FIRST[slot] : metricOf(key);
}

/** An app's own number may be what FedLoom takes for its loss or, in per cent, for its accuracy. */
function drawsTheSame(rounds: readonly Round[], one: Metric, other: Metric): boolean {
  if (keyOf(one) === keyOf(other)) return true;
  const values = new Map(mainPoints(rounds, other, sourceOf(rounds, other, true)));
  const shared = mainPoints(rounds, one, sourceOf(rounds, one, true)).flatMap(([round, value]) => {
    const beside = values.get(round);
    return beside === undefined ? [] : [[value, beside] as const];
  });
  return shared.length > 0 && shared.every(([a, b]) => isClose(a, b) || isClose(a, b * 100));
}

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b));
}
