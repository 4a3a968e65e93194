/** The order of the clients in their table. Pure functions. */
import type { Client } from "../api/types";

/** Those that are lost after those that are present; otherwise as given. */
export function presentFirst(clients: readonly Client[]): Client[] {
  return [
    ...clients.filter(({ state }) => state !== "lost"),
    ...clients.filter(({ state }) => state === "lost"),
  ];
}
