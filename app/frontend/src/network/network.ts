/**
 * The network as a page draws it: the server's page makes it of what the clients report, a client's own page of what
 * its node knows. Pure functions.
 */
import { natural } from "../store/server-state";
import type { Refused } from "./refused";
import type { ServerLink } from "./server-link";

/**
 * As a node is seen by the others; alone: it is there, and nobody in the mesh reaches it; connected: a client of the
 * server that takes no part in the mesh; blocked: it is kept out.
 */
export type PeerState = "online" | "rejoined" | "stale" | "alone" | "connected" | "blocked" | "offline";

/** The best first: what is said of many. */
export const PEER_STATES = [
  "online",
  "rejoined",
  "stale",
  "alone",
  "connected",
  "blocked",
  "offline",
] as const satisfies PeerState[];

/** Those of nodes that are in the mesh, and may be on an island of it. */
const IN_MESH: readonly PeerState[] = ["online", "rejoined", "stale", "alone"];

/** With whom a node averaged in the newest of its mesh rounds in which it did. */
export interface Averaged {
  names: readonly string[];
  /** Since its base. */
  round: number;
  /** Unix seconds. */
  time: number;
}

/** Whom a node has a link to. */
export interface Neighbour {
  name: string;
  /** Seconds there and back; null: not measured. */
  latency: number | null;
}

export interface NetworkNode {
  /** The id of its key. */
  id: string;
  name: string;
  state: PeerState;
  /** The client whose page this is. */
  self: boolean;
  /** The fewest and the most links on the way to it; null: there is no way. */
  hops: readonly [number, number] | null;
  /** Seconds there and back, to whom it is nearest. */
  latency: number | null;
  /** When something of it came: now, or Unix seconds; null: nothing has. */
  heard: "now" | number | null;
  neighbours: readonly Neighbour[];
  averaged: Averaged | null;
  /** Bytes a second over its links in the mesh; null: not known. */
  traffic: number | null;
  /** Whether it has a connection to the server; null: not known here. */
  withServer: boolean | null;
  server: ServerLink;
  refused: Refused;
}

export interface NetworkLink {
  one: string;
  other: string;
  /** Seconds there and back; null: not measured. */
  latency: number | null;
  /** Bytes a second, both ways together; null: not told yet. */
  traffic: number | null;
}

/** Two nodes of which one has averaged with the other, in the newest mesh round. */
export interface Averaging {
  one: string;
  other: string;
}

export interface Blocked {
  key: string;
  name: string;
  /** By whose word: who has decided it at the server, or the client whose people have. */
  by: string;
  /** Whether the server does not vouch for it; else people at a client have blocked it. */
  atServer: boolean;
  /** In their words; null: none was given. */
  reason: string | null;
  /** Unix seconds; null: not told. */
  time: number | null;
}

export interface Network {
  nodes: readonly NetworkNode[];
  links: readonly NetworkLink[];
  /** Those that reach each other, in the order of the nodes; who is offline is on none. */
  islands: readonly (readonly string[])[];
  blocked: readonly Blocked[];
  averagings: readonly Averaging[];
  /** When the newest mesh round ended, in which somebody averaged; null: there was none. */
  averagedAt: number | null;
}

/** Groups of nodes that reach each other over links. */
export function islandsOf(
  nodes: readonly Pick<NetworkNode, "id" | "state">[],
  links: readonly Pick<NetworkLink, "one" | "other" | "latency">[],
): string[][] {
  const there = nodes.filter(({ state }) => IN_MESH.includes(state)).map(({ id }) => id);
  const left = new Set(there);
  const neighbours = neighboursOf(links, (id) => id);
  const islands: string[][] = [];
  for (const first of there) {
    if (!left.delete(first)) continue;
    const found = new Set([first]);
    for (const id of found) {
      for (const { name } of neighbours.get(id) ?? []) if (left.delete(name)) found.add(name);
    }
    islands.push(there.filter((id) => found.has(id)));
  }
  return islands;
}

/** By node, to whom it has a link, in natural order of their names. */
export function neighboursOf(
  links: readonly Pick<NetworkLink, "one" | "other" | "latency">[],
  nameOf: (id: string) => string,
): ReadonlyMap<string, readonly Neighbour[]> {
  const known = new Map<string, Neighbour[]>();
  for (const { one, other, latency } of links) {
    known.set(one, [...(known.get(one) ?? []), { name: nameOf(other), latency }]);
    known.set(other, [...(known.get(other) ?? []), { name: nameOf(one), latency }]);
  }
  for (const neighbours of known.values()) neighbours.sort((a, b) => natural.compare(a.name, b.name));
  return known;
}

/** By node, the bytes a second over all its links of which they are told. */
export function trafficOf(links: readonly NetworkLink[]): ReadonlyMap<string, number> {
  const known = new Map<string, number>();
  for (const { one, other, traffic } of links) {
    if (traffic === null) continue;
    for (const end of [one, other]) known.set(end, (known.get(end) ?? 0) + traffic);
  }
  return known;
}

/** Each pair once, of what was told of mesh rounds; those before the newest one of the same node do not count. */
export function averagingsOf(newest: ReadonlyMap<string, readonly string[]>): Averaging[] {
  const pairs = new Map<string, Averaging>();
  for (const [key, others] of newest) {
    for (const other of others) {
      const [a, b] = key < other ? [key, other] : [other, key];
      pairs.set(`${a} ${b}`, { one: a, other: b });
    }
  }
  return [...pairs.values()];
}

/** How a key is called of which no name is known. */
export function shortKey(key: string): string {
  return `${key.slice(0, 7)}…`;
}
