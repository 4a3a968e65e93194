/** The network as one client's node knows it. Pure functions. */
import {
  type Averaged,
  averagingsOf,
  islandsOf,
  neighboursOf,
  type Network,
  type NetworkLink,
  type NetworkNode,
  shortKey,
  trafficOf,
} from "../network/network";
import { refusedOf } from "../network/refused";
import { type ServerLink, unknownLink } from "../network/server-link";
import { natural } from "../store/server-state";
import type { ClientStatus } from "./status";
import { unmeasuredWords } from "./words";

const TOLD_ELSEWHERE = "the server's own page tells it, under Network";

export function networkOf(status: ClientStatus): Network {
  const { mesh, server } = status;
  const names = new Map([[mesh.key, mesh.name], ...mesh.peers.map(({ key, name }) => [key, name] as const)]);
  const nameOf = (key: string): string => names.get(key) ?? shortKey(key);
  const own = new Map(status.traffic.map(({ key, ...both }) => [key, both.sent_per_s + both.received_per_s]));
  const links = mesh.links.map(({ one, other, latency_s }): NetworkLink => {
    const there = one === mesh.key ? other : other === mesh.key ? one : null;
    const traffic = there === null ? null : (own.get(there) ?? null);
    return { one, other, latency: latency_s, traffic };
  });
  const traffics = trafficOf(links);
  const neighbours = neighboursOf(links, nameOf);
  const refused = refusedOf([{ key: mesh.key, refused: status.refused }], nameOf);
  const reachesOthers = mesh.peers.some(({ hops }) => hops !== null);
  const self: NetworkNode = {
    id: mesh.key,
    name: mesh.name,
    state: reachesOthers ? "online" : "alone",
    self: true,
    hops: [0, 0],
    latency: null,
    heard: "now",
    neighbours: neighbours.get(mesh.key) ?? [],
    averaged: averagedOf(status, nameOf),
    traffic: traffics.get(mesh.key) ?? null,
    withServer: server?.connected ?? null,
    server: ownLink(server),
    refused: refused(mesh.key),
  };
  const peers = mesh.peers.map(({ key, name, state, hops, latency_s, age_s }): NetworkNode => ({
    id: key,
    name,
    state,
    self: false,
    hops: hops === null ? null : [hops, hops],
    latency: latency_s,
    heard: age_s === null ? null : state === "online" || state === "rejoined" ? "now" : status.time - age_s,
    neighbours: neighbours.get(key) ?? [],
    averaged: null,
    traffic: traffics.get(key) ?? null,
    withServer: null,
    server: unknownLink(TOLD_ELSEWHERE),
    refused: refused(key),
  }));
  const nodes = [self, ...peers].sort((a, b) => natural.compare(a.name, b.name));
  const blocked = status.blocked.map(({ key, name }) => ({
    key,
    name: name === "" ? shortKey(key) : name,
    by: mesh.name,
    atServer: false,
    reason: null,
    time: null,
  }));
  const newest = newestRound(status);
  return {
    nodes,
    links,
    islands: islandsOf(nodes, links),
    blocked,
    averagings: averagingsOf(new Map(newest && [[mesh.key, newest.averaged_with]])),
    averagedAt: newest?.time ?? null,
  };
}

/** Between this client and its server, by its own word. */
function ownLink(server: ClientStatus["server"]): ServerLink {
  if (server === null) return unknownLink("it needs no server");
  if (!server.connected) return unknownLink("it is not linked to the server");
  const { latency_s, sent_per_s, received_per_s } = server.link;
  return {
    latency: latency_s,
    traffic: sent_per_s === null ? null : sent_per_s + (received_per_s ?? 0),
    why: unmeasuredWords(server.link),
  };
}

function newestRound({ rounds }: ClientStatus): ClientStatus["rounds"][number] | undefined {
  return rounds.findLast(({ averaged_with }) => averaged_with.length > 0);
}

function averagedOf(status: ClientStatus, nameOf: (key: string) => string): Averaged | null {
  const newest = newestRound(status);
  if (newest === undefined) return null;
  return { names: newest.averaged_with.map(nameOf), round: newest.number, time: newest.time };
}
