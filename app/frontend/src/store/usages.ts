/** What nodes use of their machines, as the socket tells it: the newest of each, for a quarter of an hour. */
import type { Usage, UsageUpdate } from "../api/types";

/** By client; null: the server. Oldest first. */
export type Usages = ReadonlyMap<string | null, readonly Usage[]>;

export const NO_USAGES: Usages = new Map();

export const WINDOW_S = 15 * 60;
/** Over all nodes, so that a thousand of them do not fill the browser's memory. */
const MAX_ALL = 45_000;

export function withUpdate(usages: Usages, { nodes }: UsageUpdate): Usages {
  const next = new Map(usages);
  for (const { client, usage } of nodes) next.set(client, [...(usages.get(client) ?? []), usage]);
  const most = Math.max(30, Math.floor(MAX_ALL / next.size));
  const newest = Math.max(...nodes.map(({ usage }) => usage.time));
  for (const [client, kept] of next) {
    const fresh = kept.slice(-most).filter(({ time }) => time > newest - WINDOW_S);
    if (fresh.length > 0) next.set(client, fresh);
    else next.delete(client);
  }
  return next;
}
