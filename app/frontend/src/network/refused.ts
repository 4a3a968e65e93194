/** What nodes have not taken from each other, by whom it came and by whom it was refused. Pure functions. */
import { count, NO_DATA } from "../format/format";

/** What one node tells. */
interface Told {
  /** Of the node. */
  key: string;
  refused: readonly {
    /** Of the member by whom it came; null: of nobody who is one. */
    key: string | null;
    words: string;
    count: number;
  }[];
}

export interface Refusal {
  /** At the other end; null: nobody who is a member. */
  other: string | null;
  /** "a forged message: its signature is wrong" */
  words: string;
  count: number;
}

export interface Refused {
  /** What the node has refused, with whom it came by. */
  by: readonly Refusal[];
  /** What came by the node, with who has refused it. */
  of: readonly Refusal[];
}

export const NOTHING_REFUSED: Refused = { by: [], of: [] };

/** By the key of a node. */
export function refusedOf(told: readonly Told[], nameOf: (key: string) => string): (key: string) => Refused {
  const all = new Map<string, { by: Refusal[]; of: Refusal[] }>();
  const at = (key: string): { by: Refusal[]; of: Refusal[] } => {
    const known = all.get(key) ?? { by: [], of: [] };
    all.set(key, known);
    return known;
  };
  for (const { key, refused } of told) {
    for (const refusal of refused) {
      const { words, count } = refusal;
      at(key).by.push({ other: refusal.key === null ? null : nameOf(refusal.key), words, count });
      if (refusal.key !== null) at(refusal.key).of.push({ other: nameOf(key), words, count });
    }
  }
  return (key) => all.get(key) ?? NOTHING_REFUSED;
}

/** "12 of it, 3 by it" */
export function refusedWords({ by, of }: Refused): string {
  const parts = [
    [sum(of), "of it"],
    [sum(by), "by it"],
  ] as const;
  const words = parts.flatMap(([all, end]) => (all > 0 ? [`${count(all)} ${end}`] : []));
  return words.length > 0 ? words.join(", ") : NO_DATA;
}

/** "12 × a forged message: its signature is wrong (refused by client-1)", the most frequent first. */
export function refusalLines({ by, of }: Refused): string[] {
  return [
    ...sorted(of).map((refusal) => `${line(refusal)} (refused by ${refusal.other ?? NO_DATA})`),
    ...sorted(by).map(
      (refusal) => `${line(refusal)} (it came by ${refusal.other ?? "nobody who is a member"})`,
    ),
  ];
}

function line({ words, count: times }: Refusal): string {
  return `${count(times)} × ${words}`;
}

function sum(refusals: readonly Refusal[]): number {
  return refusals.reduce((all, { count: times }) => all + times, 0);
}

function sorted(refusals: readonly Refusal[]): Refusal[] {
  return refusals.toSorted((a, b) => b.count - a.count);
}
