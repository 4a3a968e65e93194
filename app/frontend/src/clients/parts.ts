/** What clients did in one run, whoever is there now. Pure functions. */
import type { Client, ClientRound, Round, Run } from "../api/types";
import { perRound } from "../runs/per-round";
import type { LatestResult } from "./results";

/** A client's newest parts in a run: of all, of those in which it trained, and of those in which it evaluated. */
export interface NewestParts {
  /** Whether it delivered then or not. */
  latest: LatestResult;
  trained: LatestResult | undefined;
  evaluated: LatestResult | undefined;
}

export interface Part extends Partial<NewestParts> {
  id: string;
  /** Complete rounds in which its update counted. */
  delivered: number;
}

/** By client, its newest parts in these rounds, which ascend. */
export function newestParts(rounds: readonly Round[]): ReadonlyMap<string, NewestParts> {
  const newest = new Map<string, NewestParts>();
  for (const { round, per_client } of rounds) {
    for (const [id, result] of Object.entries(per_client)) {
      const here = { round, result };
      const before = newest.get(id);
      newest.set(id, {
        latest: here,
        trained: hasTrained(result) ? here : before?.trained,
        evaluated: hasEvaluated(result) ? here : before?.evaluated,
      });
    }
  }
  return newest;
}

/** The same with what newer rounds say. */
export function withNewer(
  known: ReadonlyMap<string, NewestParts>,
  newer: ReadonlyMap<string, NewestParts>,
): ReadonlyMap<string, NewestParts> {
  if (newer.size === 0) return known;
  const both = new Map(known);
  for (const [id, { latest, trained, evaluated }] of newer) {
    const before = known.get(id);
    both.set(id, {
      latest,
      trained: trained ?? before?.trained,
      evaluated: evaluated ?? before?.evaluated,
    });
  }
  return both;
}

function hasTrained({ train_loss, samples }: ClientRound): boolean {
  return train_loss !== null || samples !== null;
}

function hasEvaluated({ accuracy, loss }: ClientRound): boolean {
  return accuracy !== null || loss !== null;
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
  return Object.entries(per_client).flatMap(([id, result]) =>
    result.error === null && hasTrained(result) ? [id] : [],
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
