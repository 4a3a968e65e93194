import { describe, expect, it } from "vitest";
import type { Client, MeshNode } from "../api/types";
import { client, mesh, meshNode, meshPeer, meshRound } from "../testing/fixtures";
import * as fromClients from "./from-clients";
import type { Network } from "./network";

const key = (name: string): string => `KEY-${name}`;
type Peers = MeshNode["peers"];
interface Member {
  client: Client;
  told: MeshNode | null;
}

/** A client in the mesh that sees others as they are given. */
function meshed(name: string, peers: Peers, changes: Partial<Client> = {}, story = {}): Member {
  return {
    client: client(name, { key: key(name), mesh: mesh(), ...changes }),
    told: meshNode(name, peers, story),
  };
}

function networkOf(...members: Member[]): Network {
  return fromClients.networkOf(
    members.map((member) => member.client),
    members.flatMap(({ told }) => (told === null ? [] : [told])),
  );
}

const linked = (...names: string[]): Peers => names.map((name) => meshPeer(key(name)));
const gone = (name: string) => meshPeer(key(name), { state: "offline", hops: null, latency_s: null });

const node = (network: Network, name: string) => network.nodes.find((each) => each.name === name);
const links = (network: Network): string[] =>
  network.links.map(({ one, other }) => `${one} ${other}`.replaceAll("KEY-", "")).sort();

describe("the link between the server and a client", () => {
  const told = { client: "a", measures: true, latency_s: 0.01, sent_per_s: 10, received_per_s: 20 };
  const linkOf = (changes: Partial<Client>, link?: Partial<typeof told>) => {
    const links = new Map(link && [["a", { ...told, ...link }]]);
    const [only] = fromClients.networkOf([client("a", { key: key("a"), ...changes })], [], [], links).nodes;
    return only?.server;
  };

  it("has its latency, and what goes both ways", () =>
    expect(linkOf({}, {})).toMatchObject({ latency: 0.01, traffic: 30 }));

  it.each([
    ["not connected", { state: "lost" } as const, {}, "it is not connected to the server"],
    ["just there", {}, undefined, "not measured yet"],
    ["of an older version", {}, { measures: false, latency_s: null }, "its FedLoom is an older one"],
  ])("of a client that is %s says why it is not known", (_, changes, link, why) => {
    const found = linkOf(changes, link as Partial<typeof told> | undefined);
    expect(found?.latency).toBeNull();
    expect(found?.why).toContain(why);
  });

  it("is there for one that takes part in the mesh, too", () => {
    const links = new Map([["a", told]]);
    const clients = [client("a", { key: key("a"), mesh: mesh() })];
    expect(fromClients.networkOf(clients, [], [], links).nodes[0]?.server.latency).toBe(0.01);
  });
});

describe("a network of clients", () => {
  it("is made of those that take part, in natural order, with the links that both ends tell of", () => {
    const network = networkOf(
      meshed("c-10", linked("c-1", "c-2")),
      meshed("c-1", linked("c-10")),
      meshed("c-2", [meshPeer(key("c-10"), { hops: 2 })]),
    );
    expect(network.nodes.map(({ name }) => name)).toEqual(["c-1", "c-2", "c-10"]);
    expect(links(network)).toEqual(["c-1 c-10"]);
    expect(node(network, "c-10")).toMatchObject({
      hops: [1, 2],
      neighbours: [{ name: "c-1", latency: 0.002 }],
      withServer: true,
    });
  });

  it("shows one that is lost as the others see it, not as it saw itself", () => {
    const network = networkOf(
      meshed("a", [...linked("b"), gone("c")]),
      meshed("b", [...linked("a"), gone("c")]),
      meshed("c", linked("a", "b"), { state: "lost", last_seen: 77 }),
    );
    expect(node(network, "c")).toMatchObject({ state: "offline", hops: null, heard: 77, withServer: false });
    expect(links(network)).toEqual(["a b"]);
    expect(network.islands).toEqual([[key("a"), key("b")]]);
  });

  it("takes a link by the word of one end where the other cannot be heard", () => {
    const network = networkOf(meshed("a", linked("b")), meshed("b", [], { state: "lost" }));
    expect(links(network)).toEqual(["a b"]);
    expect(node(network, "b")?.state).toBe("online");
  });

  it("has the best state that anybody tells of, and whoever comes back is news", () => {
    const sees = (state: string) => [meshPeer(key("x"), { state })];
    const of = (...states: string[]): string | undefined =>
      node(networkOf(...states.map((state, index) => meshed(`r-${index}`, sees(state)))), "KEY-x…")?.state;
    expect(of("offline", "stale")).toBe("stale");
    expect(of("stale", "online")).toBe("online");
    expect(of("online", "rejoined")).toBe("rejoined");
    expect(of("offline")).toBe("offline");
  });

  it("calls a client alone that runs and that nobody reaches, and does not call it offline", () => {
    expect(node(networkOf(meshed("a", [])), "a")?.state).toBe("alone");
    const parted = networkOf(meshed("a", [gone("b")]), meshed("b", [gone("a")]));
    expect(parted.nodes.map(({ state }) => state)).toEqual(["alone", "alone"]);
    expect(parted.islands).toEqual([[key("a")], [key("b")]]);
  });

  it("is two islands where it was cut", () => {
    const network = networkOf(
      meshed("a", [...linked("b"), gone("c"), gone("d")]),
      meshed("b", [...linked("a"), gone("c"), gone("d")]),
      meshed("c", [...linked("d"), gone("a"), gone("b")]),
      meshed("d", [...linked("c"), gone("a"), gone("b")]),
    );
    expect(network.islands).toEqual([
      [key("a"), key("b")],
      [key("c"), key("d")],
    ]);
  });

  it("names whom a client averaged with last, and whom people have blocked", () => {
    const rounds = [
      meshRound(1, { averaged_with: [key("b"), "WFQCR7G-JSA7EDG"] }),
      meshRound(2, { averaged_with: [] }),
    ];
    const blocked = [{ key: "MALLORY-KEY", name: "mallory" }];
    const network = networkOf(
      meshed("a", linked("b"), {}, { rounds, blocked }),
      meshed("b", linked("a"), {}, { blocked }),
    );
    expect(node(network, "a")?.averaged).toEqual({ names: ["b", "WFQCR7G…"], round: 1, time: 151 });
    expect(node(network, "b")?.averaged).toBeNull();
    expect(network.blocked).toEqual(
      ["a", "b"].map((by) => ({
        key: "MALLORY-KEY",
        name: "mallory",
        by,
        atServer: false,
        reason: null,
        time: null,
      })),
    );
  });

  it("draws who averaged with whom in the newest mesh round of each, once a pair, of one run", () => {
    const rounds = (...others: string[]) => ({
      rounds: [
        meshRound(1, { averaged_with: [key("d")] }),
        meshRound(2, { averaged_with: others.map(key) }),
        meshRound(3),
      ],
    });
    const old = { rounds: [meshRound(1, { averaged_with: [key("a")], run_id: "0f", time: 20 })] };
    const network = networkOf(
      meshed("a", linked("b"), {}, rounds("b", "c")),
      meshed("b", linked("a"), {}, rounds("a")),
      meshed("d", [], {}, old),
    );
    expect(network.averagings).toEqual([
      { one: key("a"), other: key("b") },
      { one: key("a"), other: key("c") },
    ]);
    expect(network.averagedAt).toBe(152);
  });

  it("has those who take no part in the mesh in a star around the server, also those that it has lost", () => {
    const network = networkOf(
      meshed("a", linked("b")),
      meshed("b", linked("a")),
      { client: client("c", { key: key("c") }), told: null },
      { client: client("d", { key: key("d"), state: "lost", last_seen: 77 }), told: null },
      { client: client("e"), told: null },
    );
    expect(
      network.nodes.map(({ name, state, withServer, heard }) => [name, state, withServer, heard]),
    ).toEqual([
      ["a", "online", true, "now"],
      ["b", "online", true, "now"],
      ["c", "connected", true, "now"],
      ["d", "offline", false, 77],
      ["e", "connected", true, "now"],
    ]);
    expect(network.islands).toEqual([[key("a"), key("b")]]);
  });

  it("tells what goes over a link by the word of the end that tells more, and what is not told", () => {
    const now = (name: string, sent_per_s: number | null): MeshNode["now"] => ({
      time: 1,
      folders: [],
      refused: [],
      ways: [{ key: key(name), latency_s: 0.1, sent_per_s, received_per_s: sent_per_s === null ? null : 10 }],
    });
    const of = (...told: MeshNode["now"][]): (number | null)[] => {
      const members = [meshed("a", linked("b")), meshed("b", linked("a"))];
      const network = networkOf(
        ...members.map(({ client, told: node }, index) => ({
          client,
          told: node && { ...node, now: told[index] ?? null },
        })),
      );
      return [...network.links.map(({ traffic }) => traffic), ...network.nodes.map(({ traffic }) => traffic)];
    };
    expect(of(now("b", 1200), now("a", 30))).toEqual([1210, 1210, 1210]);
    expect(of(now("b", null), null)).toEqual([null, null, null]);
  });

  it("calls one blocked for which the server does not vouch, once the others have let go of it", () => {
    const block = { key: key("b"), client: "b", by: "ana", time: 90, reason: "" };
    const seen = (...members: Member[]) =>
      fromClients.networkOf(
        members.map((member) => member.client),
        members.flatMap(({ told }) => (told === null ? [] : [told])),
        [block],
      );
    expect(node(seen(meshed("a", linked("b")), meshed("b", linked("a"))), "b")?.state).toBe("online");
    const later = seen(meshed("a", []), meshed("b", [gone("a")]));
    expect(node(later, "b")?.state).toBe("blocked");
    expect(later.islands).toEqual([[key("a")]]);
    expect(later.blocked).toEqual([
      { key: key("b"), name: "b", by: "ana", atServer: true, reason: null, time: 90 },
    ]);
  });
});
