/** What is worked out of a round once, however often it is asked for: a record does not change. */
import type { Round } from "../api/types";

export function perRound<Found>(find: (round: Round) => Found): (round: Round) => Found {
  const known = new WeakMap<Round, { found: Found }>();
  return (round) => {
    const before = known.get(round);
    if (before !== undefined) return before.found;
    const found = find(round);
    known.set(round, { found });
    return found;
  };
}
