/** How a part's labels are mixed, beside how those of all are. Pure functions. */
import { percent } from "../format/format";

/** Training samples by label. */
export type Mix = readonly number[];

/** Above this share of samples that would have to have another label, a part's mix is another one. */
export const NOTABLE = 0.15;

/** The labels of all parts together; a part that ends early has none of the labels after it. */
export function wholeOf(parts: readonly Mix[]): number[] {
  const labels = Math.max(0, ...parts.map((part) => part.length));
  return Array.from({ length: labels }, (_, label) => sum(parts.map((part) => part[label] ?? 0)));
}

/** Total variation distance between a part's labels and those of the whole, 0 to 1; null: one of them is empty. */
export function distance(part: Mix, whole: Mix): number | null {
  const [size, all] = [sum(part), sum(whole)];
  if (size === 0 || all === 0) return null;
  return sum(whole.map((samples, label) => Math.abs((part[label] ?? 0) / size - samples / all))) / 2;
}

/** "71 % are 3 and 8": the two commonest labels, by their names where they have some. */
export function mostly(part: Mix, names: readonly string[] = []): string {
  const order = part.map((samples, label) => [samples, label] as const).sort(([a], [b]) => b - a);
  const top = order.slice(0, 2).filter(([samples]) => samples > 0);
  const share = sum(top.map(([samples]) => samples)) / sum(part);
  return `${percent(share)} are ${top.map(([, label]) => names[label] ?? label).join(" and ")}`;
}

/** For a hover: what the distance says. */
export function distanceTitle(far: number): string {
  return `${percent(far)} of its samples would have to have another label to be mixed as those of all`;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
