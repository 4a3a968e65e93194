/** Who holds up the round. Pure functions. */
import { type Client, isActive, type Round, type Run } from "../api/types";
import { count, span } from "../format/format";

/** Rounds that tell how long a client usually takes. */
const LOOK_BACK = 20;
/** A client holds the round up when it takes so many times as long as usually, and so many seconds more. */
const TIMES = 2;
const AT_LEAST_S = 2;
/** As long may one take of which nobody knows how long it usually takes. */
const UNKNOWN_S = 10;
/** So many are named; more are counted. */
const MOST_NAMED = 3;

/** Its part in the run is left undone; in one that is over nothing is. */
export function isMissing(client: Client, run: Pick<Run, "id" | "state"> | null): boolean {
  return (
    client.state === "lost" &&
    client.membership === "admitted" &&
    run !== null &&
    isActive(run.state) &&
    client.run === run.id
  );
}

/**
 * How long a client usually takes for one phase: the median of its latest times; of all clients' where it has none;
 * null: nobody has.
 */
export function usualSeconds(
  rounds: readonly Round[],
  phase: "train_s" | "evaluate_s",
): (id: string) => number | null {
  const recent = newestComplete(rounds);
  let ofAll: number | null | undefined;
  return (id) => {
    const own = median(recent.flatMap(({ per_client }) => per_client[id]?.[phase] ?? []));
    if (own !== null) return own;
    // Once for all of them: there may be as many as are in a round.
    if (ofAll === undefined) {
      const times = recent.flatMap(({ per_client }) => Object.values(per_client).map((part) => part[phase]));
      ofAll = median(times.filter((time) => time !== null));
    }
    return ofAll;
  };
}

function newestComplete(rounds: readonly Round[]): readonly Round[] {
  const newest: Round[] = [];
  for (let at = rounds.length - 1; at >= 0 && newest.length < LOOK_BACK; at--) {
    const round = rounds[at];
    if (round?.complete) newest.push(round);
  }
  return newest;
}

export interface Slow {
  id: string;
  /** Seconds for which nothing has come, and that it usually takes; null: nobody has a time. */
  took: number;
  usual: number | null;
}

export interface Holdups {
  /** They work, and take much longer than usually. */
  slow: readonly Slow[];
  /** They had a part in the run, and are gone. */
  lost: readonly string[];
  /** The round goes on without them. */
  without: readonly string[];
}

const NOBODY: Holdups = { slow: [], lost: [], without: [] };

/** Who holds up the round that goes on, or would. */
export function holdupsOf(
  run: Run,
  clients: readonly Client[],
  rounds: readonly Round[],
  now: number,
): Holdups {
  if (run.state !== "running" || run.progress === null) return NOBODY;
  const { phase } = run.progress;
  const parts = rounds.findLast(({ round }) => round === run.round)?.per_client ?? {};
  return {
    slow: phase === "training" || phase === "evaluating" ? slowIn(phase, run, clients, rounds, now) : [],
    lost: clients.filter((client) => isMissing(client, run)).map(({ id }) => id),
    without: Object.entries(parts).flatMap(([id, { late }]) => (late ? [id] : [])),
  };
}

function slowIn(
  phase: "training" | "evaluating",
  run: Run,
  clients: readonly Client[],
  rounds: readonly Round[],
  now: number,
): Slow[] {
  const took = now - (run.progress?.since ?? now);
  if (took <= AT_LEAST_S) return []; // asked several times a second
  const usually = usualSeconds(rounds, phase === "training" ? "train_s" : "evaluate_s");
  return clients
    .filter((client) => client.state === phase && client.run === run.id)
    .map(({ id }) => ({ id, took, usual: usually(id) }))
    .filter(({ usual }) =>
      usual === null ? took > UNKNOWN_S : took > TIMES * usual && took - usual > AT_LEAST_S,
    );
}

/** "waiting for client-36 (14 s, usually 2 s); client-37 lost", or null where nobody holds it up. */
export function blockerWords({ slow, lost, without }: Holdups): string | null {
  const waited = slow.map(({ id, took, usual }) => `${id} (${span(took)}${usuallyWords(usual)})`);
  const parts = [
    ...(waited.length > 0 ? [`waiting for ${named(waited)}`] : []),
    ...(without.length > 0 ? [`going on without ${named(without)}`] : []),
    ...(lost.length > 0 ? [`${named(lost)} lost`] : []),
  ];
  return parts.length > 0 ? parts.join("; ") : null;
}

function usuallyWords(usual: number | null): string {
  if (usual === null) return "";
  return `, usually ${usual < 1 ? "under 1 s" : span(usual)}`;
}

function named(ids: readonly string[]): string {
  const rest = ids.length - MOST_NAMED;
  return rest > 0 ? `${ids.slice(0, MOST_NAMED).join(", ")} and ${count(rest)} more` : ids.join(", ");
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
