/** The network in words. Pure functions. */
import type { MeshMerge } from "../api/types";
import { bytes, latency, NO_DATA, plural } from "../format/format";
import { type Network, type NetworkLink, type NetworkNode, PEER_STATES, type PeerState } from "./network";

export const STATE_TITLES: Record<PeerState, string> = {
  online: "there is a way to it, and it was heard of just now",
  rejoined: "it is online again since a moment",
  stale: "there may be a way to it, but it has not been heard of for some time",
  alone: "it runs, and no other node in the mesh reaches it",
  connected: "it is connected to the server, and takes no part in the mesh",
  blocked: "it is kept out of the mesh",
  offline: "there is no way to it",
};

/** "3 online, 1 offline; 3 links" */
export function networkWords({ nodes, links }: Network): string {
  const counts = PEER_STATES.flatMap((state) => {
    const among = nodes.filter((node) => node.state === state).length;
    return among > 0 ? [`${among} ${state}`] : [];
  });
  return `${counts.join(", ")}; ${plural(links.length, "link")}`;
}

/** Who reaches whom, where that is not everybody; null: there is no partition. */
export function partitionWords({ nodes, islands }: Network): string | null {
  if (islands.length < 2) return null;
  const names = new Map(nodes.map(({ id, name }) => [id, name]));
  const lists = islands.map((island) => listWords(island.map((id) => names.get(id) ?? id)));
  return `${islands.length} islands that do not reach each other: ${lists.join(" | ")}`;
}

const MOST_NAMES = 6;

function listWords(names: readonly string[]): string {
  if (names.length <= MOST_NAMES) return names.join(", ");
  return `${names.slice(0, MOST_NAMES - 1).join(", ")} and ${names.length - MOST_NAMES + 1} more`;
}

/** The graph for the ear. */
export function graphWords(network: Network): string {
  const parted = partitionWords(network);
  const words = `graph of the server and ${plural(network.nodes.length, "peer")}: ${networkWords(network)}`;
  return parted === null ? words : `${words}; ${parted}`;
}

/** "1", or "1–3": the fewest and the most links on the way. */
export function hopsWords(hops: NetworkNode["hops"]): string {
  if (hops === null) return NO_DATA;
  return hops[0] === hops[1] ? String(hops[0]) : `${hops[0]}–${hops[1]}`;
}

/** "client-2 0.4 ms, client-3 12 ms" */
export function neighbourWords(neighbours: NetworkNode["neighbours"]): string {
  return neighbours
    .map(({ name, latency: seconds }) => (seconds === null ? name : `${name} ${latency(seconds)}`))
    .join(", ");
}

export const NOT_MEASURED =
  "not measured yet: each link is measured once a second, and its client tells it every two";

/** "client-1 – client-2: 0.4 ms, 1.2 kB/s" */
export function linkWords(
  one: string,
  other: string,
  { latency: seconds, traffic }: Pick<NetworkLink, "latency" | "traffic">,
): string {
  const far = seconds === null ? "latency not measured yet" : latency(seconds);
  return `${one} – ${other}: ${traffic === null ? far : `${far}, ${rate(traffic)}`}`;
}

/** "0.4 ms, 1.2 kB/s", or a dash where there is neither. */
export function distanceWords({
  latency: seconds,
  traffic,
}: Pick<NetworkLink, "latency" | "traffic">): string {
  if (seconds === null && traffic === null) return NO_DATA;
  return `${latency(seconds)}, ${rate(traffic)}`;
}

/** "1.2 kB/s" */
export function rate(perSecond: number | null): string {
  return perSecond === null ? NO_DATA : `${bytes(Math.round(perSecond))}/s`;
}

/** "Round 4 took up what 4 clients learned without the server: up to 6 mesh rounds since round 3." */
export function mergeWords({ round, since, mesh_rounds, clients }: MeshMerge): string {
  return (
    `Round ${round} took up what ${plural(clients.length, "client")} learned without the server: ` +
    `${clients.length > 1 ? "up to " : ""}${plural(mesh_rounds, "mesh round")} since round ${since}.`
  );
}
