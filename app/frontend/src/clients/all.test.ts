import { describe, expect, it } from "vitest";
import { client } from "../testing/fixtures";
import { choiceOf, chosen, COLUMNS, type Known, paramsOf, refused, sortedBy } from "./all";
import type { ClientRole } from "./roles";

const KEY = "YR27AJ7-I34UCDW-T4VRRPG-GCP7D6L-TVXMAHD-UM5YZBH-56FRE7A-XYJSUA3";

function known(id: string, role: ClientRole, changes: Parameters<typeof client>[1] = {}): Known {
  return {
    client: client(id, changes),
    role,
    slow: false,
    rounds: null,
    delivered: null,
    latest: undefined,
    spent: undefined,
  };
}

const all = [
  known("client-10", "lost", { host: "attic", accuracy: 0.5 }),
  known("client-2", "idle", { key: KEY, host: "cellar" }),
  known("client-1", "idle", { host: "cellar", accuracy: 0.9 }),
];

function ids(address: string): string[] {
  return chosen(all, choiceOf(new URLSearchParams(address))).map(({ client }) => client.id);
}

describe("the table of all clients", () => {
  it("keeps the order that it is given, until another is wanted", () => {
    expect(ids("")).toEqual(["client-10", "client-2", "client-1"]);
    expect(ids("sort=client")).toEqual(["client-1", "client-2", "client-10"]);
  });

  it("has those without a value last, whatever the order", () => {
    expect(ids("sort=accuracy&order=desc")).toEqual(["client-1", "client-10", "client-2"]);
    expect(ids("sort=accuracy")).toEqual(["client-10", "client-1", "client-2"]);
  });

  it("finds by several words, and by the letters of a key that are shown", () => {
    expect(ids("q=Cellar client-1")).toEqual(["client-1"]);
    expect(ids("q=yr27-aj7i")).toEqual(["client-2"]);
    expect(ids("role=lost")).toEqual(["client-10"]);
    expect(ids("role=nonsense&sort=nonsense")).toHaveLength(3);
  });

  it("is shown by its address again", () => {
    const address = "q=a&role=lost&sort=accuracy&order=desc";
    expect(paramsOf(choiceOf(new URLSearchParams(address))).toString()).toBe(address);
    expect(paramsOf(choiceOf(new URLSearchParams())).toString()).toBe("");
  });

  it("turns the order at the second press of a head, and lets go of it at the third", () => {
    const accuracy = COLUMNS.find(({ name }) => name === "accuracy");
    if (accuracy === undefined) throw new Error("there is no such column");
    const first = sortedBy(choiceOf(new URLSearchParams()), accuracy);
    expect(first).toMatchObject({ sort: "accuracy", order: "desc" });
    const second = sortedBy(first, accuracy);
    expect(second).toMatchObject({ sort: "accuracy", order: "asc" });
    expect(sortedBy(second, accuracy).sort).toBeNull();
  });
});

describe("bytes", () => {
  it("are put in order, and those of whom nothing was counted stand last", () => {
    const counted = [
      known("a", "idle", { bytes_received: 10, bytes_sent: 900 }),
      known("b", "lost"),
      known("c", "idle", { bytes_received: 20, bytes_sent: 800 }),
    ];
    const by = (address: string) =>
      chosen(counted, choiceOf(new URLSearchParams(address))).map(({ client: { id } }) => id);
    expect(by("sort=received&order=desc")).toEqual(["c", "a", "b"]);
    expect(by("sort=sent&order=desc")).toEqual(["a", "c", "b"]);
    expect(by("sort=sent")).toEqual(["c", "a", "b"]);
  });
});

describe("refused", () => {
  it("counts the replies that nobody used", () => {
    expect(refused({ accepted: 4, late: 1, malformed: 2 })).toBe(3);
    expect(refused({})).toBeNull();
  });
});
