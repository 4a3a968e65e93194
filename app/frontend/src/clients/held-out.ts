/** On how many samples a client's accuracy stands. Pure functions. */
import type { ClientRound } from "../api/types";
import { percent, plural } from "../format/format";

/** Of fewer samples, one more or less that is right moves the accuracy by more than ten points. */
const FEW = 10;

/** The number of samples that an accuracy was measured on, if these are few; null: they are not, or nobody knows. */
export function fewSamples({ held_out }: Pick<ClientRound, "held_out">): number | null {
  return held_out !== null && held_out < FEW ? held_out : null;
}

/** "98.1 %", or "100.0 % of 1 sample" */
export function percentOf(accuracy: number | null | undefined, samples: number | null | undefined): string {
  const text = percent(accuracy);
  return samples == null ? text : `${text} of ${plural(samples, "sample")}`;
}
