/** What happened while the reader looked at something else. Pure functions. */
import type { Round } from "../api/types";
import { count, percent, plural } from "../format/format";
import type { FilterCounts } from "./filters";

/** "rounds 5 to 9 are over, 97.1 to 98.2 %; 1 error, 2 warnings", or null: nothing that is worth a word. */
export function awayWords(
  since: number,
  { error, warning }: Pick<FilterCounts, "error" | "warning">,
  rounds: readonly Round[],
): string | null {
  const done = rounds.filter((round) => round.complete && round.started_at + (round.duration_s ?? 0) > since);
  const troubles = [
    ...(error > 0 ? [plural(error, "error")] : []),
    ...(warning > 0 ? [plural(warning, "warning")] : []),
  ].join(", ");
  const parts = [roundsOver(done, rounds), troubles].filter((part) => part !== "");
  return parts.length > 0 ? parts.join("; ") : null;
}

function roundsOver(done: readonly Round[], rounds: readonly Round[]): string {
  const [first, last] = [done[0], done.at(-1)];
  if (first === undefined || last === undefined) return "";
  const before = rounds.findLast(({ round, complete }) => complete && round < first.round);
  const one = first === last;
  const which = one
    ? `round ${count(last.round)} is`
    : `rounds ${count(first.round)} to ${count(last.round)} are`;
  const [from, to] = [before?.accuracy ?? before?.client_accuracy, last.accuracy ?? last.client_accuracy];
  const score = from == null || to == null ? "" : `, ${percent(from)} to ${percent(to)}`;
  return `${which} over${score}`;
}
