/** The rounds of a run as the page keeps them: ascending, and no more of their clients' parts than fit. Pure functions. */
import type { Round, RoundChange } from "../api/types";

export type Rounds = readonly Round[];

/** Clients' parts kept of one run, some 30 MB; of rounds before, the spread tells. */
export const PARTS_KEPT = 100_000;

/** With this round in place of the one of its number. */
export function withRound(rounds: Rounds, round: Round): Rounds {
  const at = placeOf(rounds, round.round);
  const before = rounds[at];
  if (before?.round !== round.round) return bounded(rounds.toSpliced(at, 0, round));
  // A complete round is final: what still arrives for it was sent before.
  return before.complete && !round.complete ? rounds : rounds.with(at, round);
}

/** With what has changed of a round that is known. */
export function withChange(rounds: Rounds, { round, fields, per_client }: RoundChange): Rounds {
  const at = placeOf(rounds, round);
  const before = rounds[at];
  if (before?.round !== round || (before.complete && fields.complete === false)) return rounds;
  return rounds.with(at, { ...before, ...fields, per_client: { ...before.per_client, ...per_client } });
}

/** With rounds that were fetched; of two that are complete, the one that has more clients' parts stays. */
export function withFetched(rounds: Rounds, fetched: Rounds): Rounds {
  const byNumber = new Map(rounds.map((round) => [round.round, round]));
  for (const round of fetched) {
    const live = byNumber.get(round.round);
    if (live === undefined || !live.complete || partsIn(live) < partsIn(round))
      byNumber.set(round.round, round);
  }
  return bounded([...byNumber.values()].sort((a, b) => a.round - b.round));
}

/** Where a round is, or would be; the newest are asked for most. */
function placeOf(rounds: Rounds, number: number): number {
  return rounds.findLastIndex(({ round }) => round < number) + 1;
}

/** Without the parts of old rounds whose spread is known, where there are too many. */
function bounded(rounds: Rounds): Rounds {
  let left = PARTS_KEPT;
  const oldest = rounds.findLastIndex((round) => (left -= partsIn(round)) < 0);
  if (oldest === -1) return rounds;
  return rounds.map((round, at) => (at <= oldest && hasSpread(round) ? slim(round) : round));
}

function slim(round: Round): Round {
  return partsIn(round) === 0 ? round : { ...round, per_client: {} };
}

function hasSpread({ spread }: Round): boolean {
  return Object.keys(spread).length > 0;
}

/** Counted once for each round, of which there may be a thousand with as many clients. */
const counted = new WeakMap<Round["per_client"], number>();

function partsIn({ per_client }: Round): number {
  const known = counted.get(per_client);
  if (known !== undefined) return known;
  const parts = Object.keys(per_client).length;
  counted.set(per_client, parts);
  return parts;
}
