/** Who asks to join, and how keys are shown. Pure functions. */
import type { Client } from "../api/types";

export interface Applicant {
  client: Client;
  key: string;
  /** The name belongs to another key: that of a client which may have lost it, or of somebody else. */
  claim: boolean;
}

/** Those who wait for somebody's word, one for each key. */
export function applicants(clients: readonly Client[]): Applicant[] {
  return clients.flatMap((client) => {
    const pending = client.membership === "pending";
    const keys = pending && client.key !== null ? [client.key, ...client.waiting_keys] : client.waiting_keys;
    return keys.map((key) => ({ client, key, claim: !pending }));
  });
}

/** The first letters of a key's id, as both ends print them for people to compare. */
export function shortKey(key: string): string {
  const letters = key.replaceAll("-", "");
  return `${letters.slice(0, 4)}-${letters.slice(4, 8)}`;
}

/** Those who have joined, also if they are not admitted any more. */
export function joined(clients: readonly Client[]): Client[] {
  return clients.filter(({ membership }) => membership !== "pending");
}
