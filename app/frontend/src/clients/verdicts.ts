/** What was decided of clients' replies, in words. */
import type { Client, Verdict } from "../api/types";
import { count } from "../format/format";

/** "bad signature" */
export function verdictWords(verdict: Verdict): string {
  return verdict.replaceAll("_", " ");
}

/** "in all 4 accepted, 1 late" */
export function countsWords({ verdicts }: Pick<Client, "verdicts">): string {
  const counts = Object.entries(verdicts).map(
    ([verdict, replies]) => `${count(replies)} ${verdictWords(verdict as Verdict)}`,
  );
  return `in all ${counts.join(", ")}`;
}

/** "of its newest reply, which is checked before anybody uses it; in all 4 accepted, 1 late" */
export function countsTitle(client: Pick<Client, "verdicts">): string {
  return `of its newest reply, which is checked before anybody uses it; ${countsWords(client)}`;
}

/** How many replies of a client were judged so far. */
export function judged({ verdicts }: Pick<Client, "verdicts">): number {
  return Object.values(verdicts).reduce((sum, replies) => sum + replies, 0);
}
