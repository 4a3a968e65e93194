/** The clients as the page keeps them: in natural order of the id, client-2 before client-10. Pure functions. */
import type { Client } from "../api/types";

export const natural = new Intl.Collator("en", { numeric: true });

/** With others in place of those of the same id, and without those that are gone. */
export function withClients(
  clients: readonly Client[],
  changed: ReadonlyMap<string, Client | null>,
): readonly Client[] {
  if (changed.size === 0) return clients;
  const added = new Map(changed);
  const kept = clients.flatMap((client) => {
    const now = changed.get(client.id);
    added.delete(client.id);
    return now === undefined ? client : (now ?? []);
  });
  const fresh = [...added.values()].filter((client) => client !== null);
  return fresh.length > 0 ? [...kept, ...fresh].sort((a, b) => natural.compare(a.id, b.id)) : kept;
}
