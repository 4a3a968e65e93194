/** The network by the word of all clients that take part in it. Pure functions. */
import type { Client, MeshBlock, MeshNode } from "../api/types";
import { type Links, NO_LINKS } from "../store/links";
import { natural } from "../store/server-state";
import {
  type Averaged,
  averagingsOf,
  type Blocked,
  islandsOf,
  neighboursOf,
  type Network,
  type NetworkLink,
  type NetworkNode,
  type PeerState,
  PEER_STATES,
  shortKey,
  trafficOf,
} from "./network";
import { NOTHING_REFUSED, refusedOf } from "./refused";
import { serverLinkOf } from "./server-link";

type MeshPeer = MeshNode["peers"][number];

/** A client in the mesh that is connected to the server: what it says is of now. */
interface Reporter {
  key: string;
  peers: readonly MeshPeer[];
  /** By neighbour, bytes a second over the link to it. */
  traffic: ReadonlyMap<string, number>;
}

/**
 * `told`: what the clients tell of the mesh, as far as it was fetched. `blocks`: for whom the server does not vouch.
 * `serverLinks`: between the server and clients. A client that takes no part in the mesh is in it with the server alone,
 * as in a star.
 */
export function networkOf(
  clients: readonly Client[],
  told: readonly MeshNode[],
  blocks: readonly MeshBlock[] = [],
  serverLinks: Links = NO_LINKS,
): Network {
  const toldBy = new Map(told.map((node) => [node.id, node]));
  const reporters = clients.flatMap((client) => reporterOf(client, toldBy.get(client.id)));
  const seen = sightings(reporters);
  const byKey = new Map(clients.flatMap((client) => (client.key === null ? [] : [[client.key, client]])));
  const nameOf = (key: string): string => byKey.get(key)?.id ?? shortKey(key);
  const links = linksOf(reporters);
  const traffics = trafficOf(links);
  const left = new Set(blocks.map(({ key }) => key));
  const neighbours = neighboursOf(links, nameOf);
  const refused = refusedOf(
    told.flatMap(({ key, now }) => (key === null ? [] : [{ key, refused: now?.refused ?? [] }])),
    nameOf,
  );
  const members = clients.filter(({ key, mesh }) => key !== null && mesh !== null);
  const keys = new Set([...members.map(({ key }) => key ?? ""), ...seen.keys()]);
  const nodes = [...keys].map((key): NetworkNode => {
    const client = byKey.get(key);
    const views = seen.get(key) ?? [];
    const connected = client !== undefined && client.state !== "lost";
    return {
      id: key,
      name: nameOf(key),
      state: stateOf(views, connected && client.mesh !== null, left.has(key)),
      self: false,
      hops: hopsOf(views),
      latency: latencyOf(views),
      heard: connected ? "now" : (client?.last_seen ?? null),
      neighbours: neighbours.get(key) ?? [],
      traffic: traffics.get(key) ?? null,
      averaged: client === undefined ? null : averagedOf(toldBy.get(client.id)?.story, nameOf),
      withServer: client === undefined ? null : connected,
      server: serverLinkOf(client, client && serverLinks.get(client.id)),
      refused: refused(key),
    };
  });
  for (const client of clients) {
    if (client.mesh === null && !keys.has(client.key ?? "")) nodes.push(apart(client, serverLinks));
  }
  nodes.sort((a, b) => natural.compare(a.name, b.name));
  return {
    nodes,
    links,
    islands: islandsOf(nodes, links),
    blocked: [...blocks.map((block) => byServer(block, nameOf)), ...byPeople(told, nameOf)],
    ...newestAveragings(told),
  };
}

/** A client that takes no part in the mesh. */
function apart(client: Client, serverLinks: Links): NetworkNode {
  const { id, key, state, last_seen } = client;
  const isLost = state === "lost";
  return {
    id: key ?? id,
    name: id,
    state: isLost ? "offline" : "connected",
    self: false,
    hops: null,
    latency: null,
    heard: isLost ? last_seen : "now",
    neighbours: [],
    averaged: null,
    traffic: null,
    withServer: !isLost,
    server: serverLinkOf(client, serverLinks.get(id)),
    refused: NOTHING_REFUSED,
  };
}

function reporterOf({ key, state }: Client, told: MeshNode | undefined): Reporter[] {
  if (key === null || told === undefined || state === "lost") return [];
  const traffic = new Map(
    (told.now?.ways ?? []).flatMap((way) =>
      way.sent_per_s === null ? [] : [[way.key, way.sent_per_s + (way.received_per_s ?? 0)] as const],
    ),
  );
  return [{ key, peers: told.peers, traffic }];
}

/** By node, how the others see it. */
function sightings(reporters: readonly Reporter[]): Map<string, MeshPeer[]> {
  const seen = new Map<string, MeshPeer[]>();
  for (const { peers } of reporters) {
    for (const peer of peers) seen.set(peer.key, [...(seen.get(peer.key) ?? []), peer]);
  }
  return seen;
}

/** A link is there by the word of both ends, or of the one that can be heard. */
function linksOf(reporters: readonly Reporter[]): NetworkLink[] {
  const told = new Map(
    reporters.map(({ key, peers }) => [
      key,
      new Map(peers.filter(({ hops }) => hops === 1).map((peer) => [peer.key, peer.latency_s])),
    ]),
  );
  const traffics = new Map(reporters.map(({ key, traffic }) => [key, traffic]));
  const trafficBetween = (one: string, other: string): number | null =>
    most([traffics.get(one)?.get(other) ?? null, traffics.get(other)?.get(one) ?? null]);
  const links: NetworkLink[] = [];
  for (const [one, others] of told) {
    for (const [other, latency] of others) {
      const back = told.get(other);
      if (back === undefined) links.push({ one, other, latency, traffic: trafficBetween(one, other) });
      else if (one < other && back.has(one)) {
        const traffic = trafficBetween(one, other);
        links.push({ one, other, latency: least([latency, back.get(one) ?? null]), traffic });
      }
    }
  }
  return links;
}

/** The best that anybody says of it; whoever comes back is news for a moment. */
function stateOf(views: readonly MeshPeer[], isThere: boolean, isLeftOut: boolean): PeerState {
  if (views.some(({ state }) => state === "rejoined")) return "rejoined";
  const best = PEER_STATES.find((state) => views.some((view) => view.state === state)) ?? "offline";
  if (best !== "offline") return best;
  return isLeftOut ? "blocked" : isThere ? "alone" : "offline";
}

function hopsOf(views: readonly MeshPeer[]): NetworkNode["hops"] {
  const known = views.flatMap(({ hops }) => (hops === null ? [] : [hops]));
  return known.length === 0 ? null : [Math.min(...known), Math.max(...known)];
}

function latencyOf(views: readonly MeshPeer[]): number | null {
  return least(views.filter(({ hops }) => hops !== null).map(({ latency_s }) => latency_s));
}

function least(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function most(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** Who averaged with whom in each client's newest mesh round, of the run in which the last one was. */
function newestAveragings(told: readonly MeshNode[]): Pick<Network, "averagings" | "averagedAt"> {
  const newest = told.flatMap(({ key, story }) => {
    const round = story.rounds.findLast(({ averaged_with }) => averaged_with.length > 0);
    return key === null || round === undefined ? [] : [{ key, round }];
  });
  const last = newest.reduce((late, { round }) => (round.time > late.time ? round : late), {
    time: 0,
    run_id: "",
  });
  const ofRun = newest.filter(({ round }) => round.run_id === last.run_id);
  return {
    averagings: averagingsOf(new Map(ofRun.map(({ key, round }) => [key, round.averaged_with]))),
    averagedAt: ofRun.length === 0 ? null : last.time,
  };
}

function averagedOf(story: MeshNode["story"] | undefined, nameOf: (key: string) => string): Averaged | null {
  const newest = story?.rounds.findLast(({ averaged_with }) => averaged_with.length > 0);
  if (newest === undefined) return null;
  return { names: newest.averaged_with.map(nameOf), round: newest.number, time: newest.time };
}

function byServer({ key, client, by, time, reason }: MeshBlock, nameOf: (key: string) => string): Blocked {
  const name = client === "" ? nameOf(key) : client;
  return { key, name, by, atServer: true, reason: reason === "" ? null : reason, time };
}

function byPeople(told: readonly MeshNode[], nameOf: (key: string) => string): Blocked[] {
  return told.flatMap(({ id, story }) =>
    story.blocked.map(({ key, name }) => ({
      key,
      name: name === "" ? nameOf(key) : name,
      by: id,
      atServer: false,
      reason: null,
      time: null,
    })),
  );
}
