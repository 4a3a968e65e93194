/** The link between the server and a client, as it is drawn. Pure functions. */
import type { Client, ClientLink } from "../api/types";

export interface ServerLink {
  /** Seconds there and back; null: not known. */
  latency: number | null;
  /** Bytes a second, both ways together; null: not known. */
  traffic: number | null;
  /** Why something is not known. */
  why: string;
}

const NOT_CONNECTED = "it is not connected to the server";
const NOT_MEASURED = "not measured yet: its client measures it every two seconds";
const TOO_OLD = "its FedLoom is an older one, which does not measure how far the server is";

/** `link`: what the server tells of it, if it has told. */
export function serverLinkOf(client: Client | undefined, link: ClientLink | undefined): ServerLink {
  if (client === undefined || client.state === "lost") return unknownLink(NOT_CONNECTED);
  if (link === undefined) return unknownLink(NOT_MEASURED);
  const { sent_per_s, received_per_s, latency_s, measures } = link;
  return {
    latency: latency_s,
    traffic: sent_per_s === null ? null : sent_per_s + (received_per_s ?? 0),
    why: measures || sent_per_s === null ? NOT_MEASURED : TOO_OLD,
  };
}

export function unknownLink(why: string): ServerLink {
  return { latency: null, traffic: null, why };
}
