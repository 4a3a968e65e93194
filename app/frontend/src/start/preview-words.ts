/** What the preview of a run says. Pure functions. */
import type { RunPreview } from "../api/types";
import { distance, mostly, NOTABLE, sum, wholeOf } from "../evaluation/mix";
import type { Row } from "../evaluation/tables";
import { count, plural, span } from "../format/format";

/** "2 are there: it can start at once", "1 of 3 is there: it will wait for 2 more" */
export function waitWords({ clients, needed }: Pick<RunPreview, "clients" | "needed">): string {
  if (clients >= needed)
    return `${count(clients)} ${clients === 1 ? "is" : "are"} there, ${count(needed)} needed`;
  return `${count(clients)} of ${count(needed)} ${clients === 1 ? "is" : "are"} there: it will wait for ${count(needed - clients)} more`;
}

/** "about 0:41, by 5 runs with the same work"; null: nobody knows. */
export function timeWords(
  { round_s, like }: Pick<RunPreview, "round_s" | "like">,
  rounds: number | null,
): string | null {
  if (round_s === null) return null;
  const by = `by ${plural(like.length, "run")} with the same work`;
  if (rounds === null) return `about ${span(round_s)} a round, ${by}`;
  return `about ${span(round_s * rounds)} (${span(round_s)} a round), ${by}`;
}

/** How unequal the parts are: the sizes, and the one that is most unlike the whole. */
export function unusualPart(parts: readonly (readonly number[])[]): string {
  const sizes = parts.map((part) => sum(part));
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const size = least === most ? `${count(least)} samples each` : `${count(least)} to ${count(most)} samples`;
  const whole = wholeOf(parts);
  const distances = parts.map((part) => distance(part, whole) ?? 0);
  const farthest = distances.indexOf(Math.max(...distances));
  const far = distances[farthest] ?? 0;
  if (far < NOTABLE) return `${size}, with the same mix of labels`;
  return `${size}; part ${farthest} is most unlike the whole: ${mostly(parts[farthest] ?? [])}`;
}

export function partRows(parts: readonly (readonly number[])[]): Row[] {
  return parts.map((part, index) => {
    const size = sum(part);
    return {
      id: String(index),
      cells: () =>
        part.map((samples, label) => ({
          count: samples,
          text: count(samples),
          share: size > 0 ? samples / size : 0,
          wrong: false,
          title: `${count(samples)} of ${plural(size, "sample")} of part ${index} are ${label}`,
        })),
      missing: "",
      accuracy: null,
      noAccuracy: "",
    };
  });
}
