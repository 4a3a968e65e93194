/** What clients did in a run that is over, from its rounds alone. Pure functions. */
import type { Client, Round, Run } from "../api/types";
import { perRound } from "../runs/per-round";
import { natural } from "../store/server-state";
import { latestResults, type LatestResult } from "./results";

export interface Part {
  id: string;
  /** Complete rounds in which its update counted. */
  delivered: number;
  /** Its newest result, whether it delivered then or not. */
  latest: LatestResult | undefined;
}

/** Everyone who had a part in the run, also those that the server has forgotten since. */
export function partsOf(run: Pick<Run, "clients">, rounds: readonly Round[]): Part[] {
  const latest = latestResults(rounds, rounds.length);
  const delivered = deliveredIn(rounds);
  const ids = new Set([...run.clients, ...latest.keys()]);
  return [...ids]
    .sort(natural.compare)
    .map((id) => ({ id, delivered: delivered.get(id) ?? 0, latest: latest.get(id) }));
}

/** By client, in how many of these rounds its update counted, if it did in any; of one that goes on nobody knows yet. */
export function deliveredIn(rounds: readonly Round[]): ReadonlyMap<string, number> {
  const delivered = new Map<string, number>();
  for (const round of rounds)
    for (const id of countedIn(round)) delivered.set(id, (delivered.get(id) ?? 0) + 1);
  return delivered;
}

const countedIn = perRound(({ round, complete, per_client }): readonly string[] => {
  if (!complete || round === 0) return [];
  return Object.entries(per_client).flatMap(([id, { train_loss, samples, error }]) =>
    error === null && (train_loss !== null || samples !== null) ? [id] : [],
  );
});

/** The clients with the numbers of this run: what one told in another is left out. */
export function inRun(clients: readonly Client[], run: Pick<Run, "id"> | null): Client[] {
  return clients.map((client) =>
    run === null || client.run === null || client.run === run.id ? client : { ...client, ...NOTHING_TOLD },
  );
}

const NOTHING_TOLD = {
  partition: null,
  num_partitions: null,
  samples: null,
  label_counts: null,
  train_loss: null,
  loss: null,
  accuracy: null,
} satisfies Partial<Client>;
