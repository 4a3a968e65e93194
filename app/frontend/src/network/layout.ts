/**
 * Where nodes stand: on a ring around the server, island by island with a gap between. It is the same however often it
 * is drawn; a layout by forces would move all nodes when one comes. Pure functions; places are in per cent.
 */
import { type Network, type NetworkNode, type PeerState, PEER_STATES } from "./network";

export interface Place {
  x: number;
  y: number;
}

export const CENTRE: Place = { x: 50, y: 47 };
const RADIUS: Place = { x: 45, y: 36 };

/** Up to so many nodes have their names beside them, or what tells them apart; on a phone fewer. */
const MOST_NAMED = { whole: 12, short: 24 };
const MOST_NAMED_NARROW = { whole: 6, short: 14 };

/** What stands beside a node: "client-3", "3", or nothing; its title has the whole name. */
export function nodeLabel(name: string, nodes: number, narrow: boolean): string | null {
  const most = narrow ? MOST_NAMED_NARROW : MOST_NAMED;
  if (nodes <= most.whole) return name;
  return nodes <= most.short ? (/\d{1,3}$/.exec(name)?.[0] ?? name.slice(0, 3)) : null;
}

/** From so many nodes on they are drawn as one for each state. */
export const GROUPED_FROM = 50;

/** The places of `groups` of nodes, in their order. */
export function ringPlaces(groups: readonly (readonly string[])[]): Map<string, Place> {
  const filled = groups.filter((group) => group.length > 0);
  const nodes = filled.reduce((sum, group) => sum + group.length, 0);
  const slots = nodes + (filled.length > 1 ? filled.length : 0);
  // Two stand beside the server, one left and one right.
  const start = nodes === 2 && filled.length === 1 ? Math.PI : -Math.PI / 2;
  const places = new Map<string, Place>();
  let slot = 0;
  for (const group of filled) {
    for (const id of group) {
      places.set(id, onRing(start + (2 * Math.PI * slot) / slots));
      slot += 1;
    }
    slot += 1;
  }
  return places;
}

function onRing(angle: number): Place {
  return { x: CENTRE.x + RADIUS.x * Math.cos(angle), y: CENTRE.y + RADIUS.y * Math.sin(angle) };
}

/** The islands, then who is on none: those that are connected to the server alone, and those that are away. */
export function ringOf({ nodes, islands }: Network): Map<string, Place> {
  const placed = new Set(islands.flat());
  const others = nodes.filter(({ id }) => !placed.has(id));
  const star = others.filter(({ state }) => state === "connected");
  const away = others.filter(({ state }) => state !== "connected");
  return ringPlaces([...islands, star.map(({ id }) => id), away.map(({ id }) => id)]);
}

/** How wide a link is drawn, by the bytes a second over it: from 1.5 for none to 4 for 100 MB/s. */
export function linkWidth(traffic: number | null): number {
  return 1.5 + Math.min(2.5, Math.log10(1 + (traffic ?? 0) / 1000) / 2);
}

const ASIDE = 7;

/** What an averaging is drawn along: beside the link, if there is one. */
export function bowPath(from: Place, to: Place): string {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const aside = {
    x: (from.x + to.x) / 2 + (ASIDE * (to.y - from.y)) / length,
    y: (from.y + to.y) / 2 - (ASIDE * (to.x - from.x)) / length,
  };
  return `M${at(from)} Q${at(aside)} ${at(to)}`;
}

const NEAR_CENTRE = 14;
const BOW = 26;

/** What a link is drawn along; one that would cross the server goes around it. */
export function linkPath(from: Place, to: Place): { path: string; middle: Place } {
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  if (Math.hypot(middle.x - CENTRE.x, middle.y - CENTRE.y) > NEAR_CENTRE) {
    return { path: `M${at(from)} L${at(to)}`, middle };
  }
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const aside = {
    x: middle.x - (BOW * 2 * (to.y - from.y)) / length,
    y: middle.y + (BOW * 2 * (to.x - from.x)) / length,
  };
  return {
    path: `M${at(from)} Q${at(aside)} ${at(to)}`,
    middle: { x: (middle.x + aside.x) / 2, y: (middle.y + aside.y) / 2 },
  };
}

/** What the link between the server and a node there is drawn along. */
export function spokePath(to: Place): { path: string; middle: Place } {
  return {
    path: `M${at(CENTRE)} L${at(to)}`,
    middle: { x: (CENTRE.x + to.x) / 2, y: (CENTRE.y + to.y) / 2 },
  };
}

interface Spoke {
  node: NetworkNode;
  path: string;
  middle: Place;
}

/** Those of the nodes that have a connection to the server. */
export function spokesOf(nodes: readonly NetworkNode[], places: ReadonlyMap<string, Place>): Spoke[] {
  return nodes.flatMap((node) => {
    const place = places.get(node.id);
    return place === undefined || node.withServer !== true ? [] : [{ node, ...spokePath(place) }];
  });
}

/** Up to so many spokes all have a label. */
const MOST_SPOKES = 6;

/** Around the server there is room for a few labels, if links between nodes have none there; else for that of
 * the node that is picked. */
export function labelledSpokes(spokes: readonly Spoke[], links: number, picked: string | null): Spoke[] {
  const all = links === 0 && spokes.length <= MOST_SPOKES;
  return spokes.filter(({ node }) => all || node.id === picked);
}

function at({ x, y }: Place): string {
  return `${x.toFixed(2)} ${y.toFixed(2)}`;
}

/** Several links, drawn as one. */
interface Links {
  links: number;
  /** Bytes a second over all of them that tell it; null: none does. */
  traffic: number | null;
}

/** All nodes in one state, drawn as one. */
export interface Group {
  state: PeerState;
  size: number;
  /** Between them and the server. */
  toServer: Links;
  /** Between two of them. */
  within: Links;
}

/** Between nodes in one state and nodes in another. */
export interface GroupLink extends Links {
  one: PeerState;
  other: PeerState;
}

const NO_LINKS: Links = { links: 0, traffic: null };

export function groupsOf({ nodes, links }: Pick<Network, "nodes" | "links">): {
  groups: Group[];
  links: GroupLink[];
} {
  const states = new Map(nodes.map(({ id, state }) => [id, state]));
  const within = new Map<PeerState, Links>();
  const between = new Map<string, GroupLink>();
  for (const { one, other, traffic } of links) {
    const ends = [states.get(one), states.get(other)].filter((state) => state !== undefined);
    const [a, b] = PEER_STATES.flatMap((state) => ends.filter((end) => end === state));
    if (a === undefined || b === undefined) continue;
    if (a === b) within.set(a, withOne(within.get(a), traffic));
    else between.set(`${a} ${b}`, { one: a, other: b, ...withOne(between.get(`${a} ${b}`), traffic) });
  }
  const groups = PEER_STATES.flatMap((state): Group[] => {
    const of = nodes.filter((node) => node.state === state);
    if (of.length === 0) return [];
    const toServer = of
      .filter(({ withServer }) => withServer === true)
      .reduce((all, { server }) => withOne(all, server.traffic), NO_LINKS);
    return [{ state, size: of.length, toServer, within: within.get(state) ?? NO_LINKS }];
  });
  return { groups, links: [...between.values()] };
}

function withOne(known: Links | undefined, traffic: number | null): Links {
  const { links, traffic: before } = known ?? NO_LINKS;
  return {
    links: links + 1,
    traffic: before === null && traffic === null ? null : (before ?? 0) + (traffic ?? 0),
  };
}
