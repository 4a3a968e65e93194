/** What clients have spent of their data's privacy, as they have said it last. Pure functions. */
import type { ClientRound, Round } from "../api/types";
import { epsilon } from "../format/format";

export interface Spent {
  /** Over all runs. */
  epsilon: number;
  ofRun: number | null;
  /** The most that the client's site spends; null: it has said no limit. */
  budget: number | null;
  /** Whether the site has declined since. */
  declined: boolean;
}

/** By client. One that has declined since has spent what it had. */
export function latestSpent(rounds: readonly Round[]): ReadonlyMap<string, Spent> {
  const latest = new Map<string, Spent>();
  for (const { per_client } of rounds) {
    for (const [id, part] of Object.entries(per_client)) {
      const before = latest.get(id);
      const now = spentIn(part) ?? (before && { ...before, declined: part.verdict === "declined" });
      if (now !== undefined) latest.set(id, now);
    }
  }
  return latest;
}

function spentIn({ epsilon, epsilon_of_run, epsilon_budget }: ClientRound): Spent | undefined {
  if (epsilon === null) return undefined;
  return { epsilon, ofRun: epsilon_of_run, budget: epsilon_budget, declined: false };
}

/** What may still be spent; null: there is no limit. */
export function left({ epsilon, budget }: Spent): number | null {
  return budget === null ? null : Math.max(0, budget - epsilon);
}

/** "2.41 of 3.00, 0.59 left" */
export function spentWords(spent: Spent): string {
  const remains = left(spent);
  if (spent.budget === null || remains === null) return `${epsilon(spent.epsilon)}, no budget`;
  return `${epsilon(spent.epsilon)} of ${epsilon(spent.budget)}, ${epsilon(remains)} left`;
}

/** For a hover: what the number is, and what it is not. */
export function spentTitle({ ofRun }: Spent): string {
  const run = ofRun === null ? "" : `, ${epsilon(ofRun)} in this run alone`;
  return `spent of its data's privacy in all runs${run}, by its own word (RDP); what different clients have spent is never added up`;
}
