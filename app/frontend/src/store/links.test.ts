import { beforeEach, describe, expect, it } from "vitest";
import type { LinkUpdate } from "../api/types";
import { snapshot } from "../testing/fixtures";
import { withLinks } from "./links";
import { batchesReceived, snapshotReceived, useStore } from "./store";

const whole = { client: "a", measures: true, latency_s: 0.01, sent_per_s: 10, received_per_s: 20 };
const first: LinkUpdate = { whole: false, links: { a: whole, b: { ...whole, client: "b" } }, gone: [] };
const follows = (changes: Partial<LinkUpdate>): LinkUpdate => ({
  whole: false,
  links: {},
  gone: [],
  ...changes,
});

describe("clients' links", () => {
  const known = withLinks(new Map(), first);

  it("keep what has not changed", () => {
    const links = withLinks(known, follows({ links: { a: { sent_per_s: 99 } } }));
    expect(links.get("a")).toEqual({ ...whole, sent_per_s: 99 });
    expect(links.get("b")).toBe(known.get("b"));
  });

  it("are those that are there: who is gone has none, and a whole update knows no others", () => {
    expect([...withLinks(known, follows({ gone: ["a"] })).keys()]).toEqual(["b"]);
    expect([...withLinks(known, follows({ whole: true, links: { a: whole } })).keys()]).toEqual(["a"]);
  });
});

describe("the store", () => {
  beforeEach(() => snapshotReceived(snapshot({ instance: "one" })));
  const tell = (...updates: (LinkUpdate | null)[]): void =>
    batchesReceived(updates.map((links) => ({ events: [], usage: null, links })));
  const clients = (): string[] => [...useStore.getState().links.keys()];

  it("takes several batches in their order", () => {
    tell(first, null, follows({ gone: ["b"] }));
    expect(clients()).toEqual(["a"]);
  });

  it("forgets the links of a server that is another one, and keeps them over a snapshot of the same", () => {
    tell(first);
    snapshotReceived(snapshot({ instance: "one" }));
    expect(clients()).toEqual(["a", "b"]);
    snapshotReceived(snapshot({ instance: "two" }));
    expect(clients()).toEqual([]);
  });
});
