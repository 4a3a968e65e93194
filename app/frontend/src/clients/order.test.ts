import { expect, it } from "vitest";
import type { Run } from "../api/types";
import { client } from "../testing/fixtures";
import { blockersFirst, type Listed } from "./order";
import type { ClientRole } from "./roles";

const listed = (of: Listed["client"], role: ClientRole, slow = false): Listed => ({ client: of, role, slow });

const clients = [
  listed(client("client-1", { state: "lost", run: "old" }), "lost"),
  listed(client("client-2"), "delivered"),
  listed(client("client-3", { state: "late" }), "late"),
  listed(client("client-4", { state: "lost", run: "aa" }), "lost"),
  listed(client("client-5"), "failed"),
  listed(client("client-9", { state: "training" }), "training", true),
  listed(client("client-10", { state: "training" }), "training"),
];
const order = (run: Pick<Run, "id" | "state"> | null): string[] =>
  blockersFirst(clients, run).map(({ client: { id } }) => id.replace("client-", ""));

it("puts those first that hold up the run, and the other lost ones last", () => {
  expect(order({ id: "aa", state: "running" })).toEqual(["4", "3", "9", "5", "2", "10", "1"]);
});

it("misses nobody where no run goes on", () => {
  const nobody = ["3", "9", "5", "2", "10", "1", "4"];
  expect(order(null)).toEqual(nobody);
  expect(order({ id: "aa", state: "completed" })).toEqual(nobody);
});
