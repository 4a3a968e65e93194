/** From the values of a chart to the ends and the step of its axis. Pure functions. */

export interface Scale {
  min: number;
  max: number;
  step: number;
}

/** So many times the distance of the quartiles may a value be away from them; beyond, it is no part of what is fitted. */
const FENCE = 3;
/** At most this share of the values is left out at either end. */
const MOST_LEFT_OUT = 0.1;
/** Fewer values have no quartiles to speak of. */
const FEWEST_FOR_FENCES = 12;
/** At most so many steps, or one more where the ends are no round numbers. */
const STEPS = 5;

/**
 * The scale that shows the values best: without those that are far off all others, as the first rounds of a long run are
 * (fences after Tukey 1977). `must`: values that are in it in any case.
 */
export function fitted(values: readonly number[], must: readonly number[] = []): Scale | null {
  const sorted = [...values].filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0 && must.length === 0) return null;
  const inside = sorted.length < FEWEST_FOR_FENCES ? sorted : withinFences(sorted);
  const all = [...inside, ...must];
  return niceScale(Math.min(...all), Math.max(...all));
}

/** The scale from zero, or from below it where values are; `top`: its upper end, where that is known. */
export function fromZero(values: readonly number[], top?: number): Scale | null {
  const known = values.filter(Number.isFinite);
  if (known.length === 0 && top === undefined) return null;
  const low = known.reduce((least, value) => Math.min(least, value), 0);
  const high = known.reduce((most, value) => Math.max(most, value), top ?? 0);
  return niceScale(low, high);
}

/** Round numbers around both ends. */
export function niceScale(low: number, high: number): Scale {
  const span = high > low ? high - low : Math.abs(high) * 0.1 || 1;
  const step = niceStep(span / STEPS);
  const round = (steps: number): number => Number((steps * step).toPrecision(12));
  const min = Math.floor(low / step + 1e-9);
  const max = Math.ceil(high / step - 1e-9);
  return { min: round(min), max: round(max === min ? min + 1 : max), step };
}

/** 1, 2, 2.5 or 5 times a power of ten. */
function niceStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  const factor = [1, 2, 2.5, 5].find((each) => each * power >= wanted * (1 - 1e-9)) ?? 10;
  return Number((factor * power).toPrecision(6));
}

function withinFences(sorted: readonly number[]): readonly number[] {
  const low = quantile(sorted, 0.25);
  const high = quantile(sorted, 0.75);
  const reach = FENCE * (high - low);
  // Of a long flat end everything else would be far off.
  const from = Math.min(low - reach, quantile(sorted, MOST_LEFT_OUT));
  const to = Math.max(high + reach, quantile(sorted, 1 - MOST_LEFT_OUT));
  return sorted.filter((value) => value >= from && value <= to);
}

/** Of values in their order, with what lies between two of them; NaN where there is none. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? low;
  return low + (high - low) * (at - Math.floor(at));
}
