/** How the links between the server and its clients are, as the socket tells it. Pure functions. */
import type { ClientLink, LinkUpdate } from "../api/types";

/** By client. */
export type Links = ReadonlyMap<string, ClientLink>;

export const NO_LINKS: Links = new Map();

/** What is told of a client for the first time has all fields. */
export function withLinks(known: Links, { whole, links, gone }: LinkUpdate): Links {
  const next = new Map(whole ? NO_LINKS : known);
  for (const [client, fields] of Object.entries(links)) {
    next.set(client, { ...next.get(client), ...fields } as ClientLink);
  }
  for (const client of gone) next.delete(client);
  return next;
}
