import { expect, it } from "vitest";
import { client } from "../testing/fixtures";
import { presentFirst } from "./order";

it("puts the lost clients last and keeps the order within both groups", () => {
  const clients = [
    client("client-1", { state: "lost" }),
    client("client-2"),
    client("client-3", { state: "late" }),
    client("client-4", { state: "lost" }),
    client("client-10", { state: "training" }),
  ];
  expect(presentFirst(clients).map(({ id }) => id)).toEqual([
    "client-2",
    "client-3",
    "client-10",
    "client-1",
    "client-4",
  ]);
});
