import { describe, expect, it } from "vitest";
import { CENTRE, groupsOf, labelledSpokes, linkPath, nodeLabel, ringPlaces, spokesOf } from "./layout";
import type { Network, NetworkNode, PeerState } from "./network";

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

describe("the ring", () => {
  it.each([1, 2, 3, 12, 49])("has a place of its own for each of %d, within the plot", (count) => {
    const places = [...ringPlaces([ids(count)]).values()];
    expect(new Set(places.map(({ x, y }) => `${x} ${y}`)).size).toBe(count);
    for (const { x, y } of places) {
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(5);
      expect(Math.max(x, y)).toBeLessThanOrEqual(95);
    }
  });

  it("is the same when it is drawn again, and whoever goes offline at its end moves nobody's order", () => {
    const before = ringPlaces([ids(5)]);
    expect(ringPlaces([ids(5)])).toEqual(before);
    expect([...ringPlaces([ids(4), ["4"]]).keys()]).toEqual([...before.keys()]);
  });

  it("keeps islands apart by more than their nodes", () => {
    const places = ringPlaces([
      ["a", "b"],
      ["c", "d"],
    ]);
    const far = (one: string, other: string): number => {
      const [p, q] = [places.get(one) ?? CENTRE, places.get(other) ?? CENTRE];
      const angle = (at: typeof p) => Math.atan2((at.y - CENTRE.y) / 36, (at.x - CENTRE.x) / 45);
      return (angle(q) - angle(p) + 2 * Math.PI) % (2 * Math.PI);
    };
    expect(far("b", "c")).toBeGreaterThan(far("a", "b") * 1.5);
  });
});

describe("a node", () => {
  it.each([
    ["client-17", 12, false, "client-17"],
    ["client-17", 13, false, "17"],
    ["hospital", 24, false, "hos"],
    ["client-17", 25, false, null],
    ["client-17", 7, true, "17"],
    ["client-17", 15, true, null],
  ])("%s of %d is called by what there is room for", (name, nodes, narrow, label) =>
    expect(nodeLabel(name, nodes, narrow)).toBe(label),
  );
});

describe("a link", () => {
  it("is straight, but where it would cross the server", () => {
    expect(linkPath({ x: 10, y: 10 }, { x: 60, y: 10 })).toEqual({
      path: "M10.00 10.00 L60.00 10.00",
      middle: { x: 35, y: 10 },
    });
    const { path, middle } = linkPath({ x: 10, y: 47 }, { x: 90, y: 47 });
    expect(path).toContain("Q");
    expect(Math.hypot(middle.x - CENTRE.x, middle.y - CENTRE.y)).toBeGreaterThan(14);
  });
});

describe("links to the server", () => {
  const nodes = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ id: `n${at}`, withServer: at > 0 }) as NetworkNode);
  const spokes = (count: number) => spokesOf(nodes(count), ringPlaces([nodes(count).map(({ id }) => id)]));
  const labelled = (count: number, links: number, picked: string | null) =>
    labelledSpokes(spokes(count), links, picked).map(({ node }) => node.id);

  it("are those of the nodes that have one, with their middle half way", () => {
    expect(spokes(3).map(({ node }) => node.id)).toEqual(["n1", "n2"]);
    const [{ middle } = { middle: CENTRE }] = spokes(2);
    expect(middle.x).toBeCloseTo((CENTRE.x + 95) / 2);
  });

  it("have labels where there is room, else that of the node that is picked", () => {
    expect(labelled(7, 0, null)).toHaveLength(6);
    expect(labelled(8, 0, null)).toEqual([]);
    expect(labelled(4, 3, null)).toEqual([]);
    expect(labelled(4, 3, "n2")).toEqual(["n2"]);
    expect(labelled(40, 0, null)).toEqual([]);
    expect(labelled(40, 300, "n7")).toEqual(["n7"]);
  });
});

describe("many nodes", () => {
  const node = (id: string, state: PeerState): NetworkNode => ({
    id,
    name: id,
    state,
    self: false,
    hops: null,
    latency: null,
    heard: null,
    neighbours: [],
    averaged: null,
    traffic: null,
    withServer: state === "online",
    server: { latency: null, traffic: id === "b" || id === "c" ? 40 : null, why: "" },
    refused: { by: [], of: [] },
  });

  it("are drawn as one for each state, with the links between them and among them, and what goes over them", () => {
    const network: Network = {
      nodes: [node("a", "stale"), ...["b", "c", "e"].map((id) => node(id, "online")), node("d", "offline")],
      links: [
        { one: "a", other: "b", latency: null, traffic: 100 },
        { one: "c", other: "a", latency: null, traffic: null },
        { one: "b", other: "c", latency: null, traffic: 20 },
        { one: "e", other: "b", latency: null, traffic: 3 },
      ],
      islands: [],
      blocked: [],
      averagings: [],
      averagedAt: null,
    };
    const none = { links: 0, traffic: null };
    expect(groupsOf(network)).toEqual({
      groups: [
        {
          state: "online",
          size: 3,
          toServer: { links: 3, traffic: 80 },
          within: { links: 2, traffic: 23 },
        },
        { state: "stale", size: 1, toServer: none, within: none },
        { state: "offline", size: 1, toServer: none, within: none },
      ],
      links: [{ one: "online", other: "stale", links: 2, traffic: 100 }],
    });
  });

  it("tell of no traffic where no link does", () => {
    const network = {
      nodes: ["a", "b"].map((id) => node(id, "online")),
      links: [{ one: "a", other: "b", latency: null, traffic: null }],
    };
    expect(groupsOf(network).groups[0]?.within).toEqual({ links: 1, traffic: null });
  });
});
