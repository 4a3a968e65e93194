/** What was decided of clients' replies, in words. */
import type { Client, Verdict } from "../api/types";
import { count } from "../format/format";

/** "bad signature" */
export function verdictWords(verdict: Verdict): string {
  return verdict.replaceAll("_", " ");
}

/** "of its newest reply, which is checked before anybody uses it; in all 4 accepted, 1 late" */
export function countsTitle({ verdicts }: Client): string {
  const counts = Object.entries(verdicts).map(
    ([verdict, replies]) => `${count(replies)} ${verdictWords(verdict as Verdict)}`,
  );
  return `of its newest reply, which is checked before anybody uses it; in all ${counts.join(", ")}`;
}

/** How many replies of a client were judged so far. */
export function judged({ verdicts }: Client): number {
  return Object.values(verdicts).reduce((sum, replies) => sum + replies, 0);
}
