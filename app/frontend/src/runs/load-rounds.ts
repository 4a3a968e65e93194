/** Asks for a run's rounds in pieces, so that the page never stands still while it reads one. */
import { fetchRounds, type RoundsWanted } from "../api/requests";
import type { Round, Run } from "../api/types";
import { PARTS_KEPT } from "../store/rounds";

/** Clients' parts in one piece, about 1 MB. */
const PARTS_AT_ONCE = 2_500;
const ROUNDS_AT_ONCE = 250;
/** A run with more rounds is thinned out by the server. */
const MOST_ROUNDS = 2_000;
/** Of a run too large to be kept whole, so many of the newest rounds come with all clients' parts. */
const NEWEST_WHOLE = 20;

type Take = (rounds: readonly Round[], areAll: boolean) => void;

/** Calls `take` with each piece. Rejects with RequestFailed. */
export async function loadRounds(run: Run, take: Take): Promise<void> {
  const clients = Math.max(1, run.clients.length);
  const whole = Math.max(1, Math.min(ROUNDS_AT_ONCE, Math.floor(PARTS_AT_ONCE / clients)));
  if (clients * Math.min(run.round, MOST_ROUNDS) <= PARTS_KEPT) {
    await piecewise(run.id, { after: -1, limit: whole }, take);
    return;
  }
  await piecewise(run.id, { after: -1, limit: ROUNDS_AT_ONCE, clients: [] }, (rounds) => take(rounds, false));
  await piecewise(run.id, { after: run.round - NEWEST_WHOLE, limit: whole }, take);
}

async function piecewise(runId: string, from: Omit<RoundsWanted, "points">, take: Take): Promise<void> {
  let { after } = from;
  for (let more = true; more;) {
    const piece = await fetchRounds(runId, { ...from, after, points: MOST_ROUNDS });
    ({ more } = piece);
    after = piece.rounds.at(-1)?.round ?? after;
    take(piece.rounds, !more);
  }
}
