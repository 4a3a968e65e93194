/** What was decided of clients' replies, counted. Pure functions. */
import type { Client, Verdict } from "../api/types";
import { refused } from "../clients/all";
import { verdictWords } from "../clients/verdicts";
import { count } from "../format/format";

export type VerdictCounts = ReadonlyMap<Verdict, number>;

function countsOf({ verdicts }: Pick<Client, "verdicts">): VerdictCounts {
  return new Map(Object.entries(verdicts) as [Verdict, number][]);
}

/** Of all clients together. */
export function sumOf(clients: readonly Pick<Client, "verdicts">[]): VerdictCounts {
  const sum = new Map<Verdict, number>();
  for (const client of clients) {
    for (const [verdict, replies] of countsOf(client)) sum.set(verdict, (sum.get(verdict) ?? 0) + replies);
  }
  return sum;
}

/** "412 accepted, 3 late, 1 malformed": what was accepted first, then the commonest. */
export function countsWords(counts: VerdictCounts): string {
  return [...counts]
    .sort(([a, ofA], [b, ofB]) => Number(b === "accepted") - Number(a === "accepted") || ofB - ofA)
    .map(([verdict, replies]) => `${count(replies)} ${verdictWords(verdict)}`)
    .join(", ");
}

/** The clients of whom some replies were not accepted, those with the most first. */
export function refusedFirst(
  clients: readonly Pick<Client, "id" | "verdicts">[],
): { id: string; counts: VerdictCounts }[] {
  return clients
    .map((client) => ({ id: client.id, counts: countsOf(client), times: refused(client.verdicts) ?? 0 }))
    .filter(({ times }) => times > 0)
    .sort((a, b) => b.times - a.times)
    .map(({ id, counts }) => ({ id, counts }));
}
