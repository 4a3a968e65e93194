import { describe, expect, it } from "vitest";
import type { Run } from "../api/types";
import { run } from "../testing/fixtures";
import { listOrder } from "./run-order";

const order = (...states: Run["state"][]): string[] =>
  listOrder(states.map((state, index) => run({ id: `${index} ${state}`, state }))).map(({ id }) => id);

describe("listOrder", () => {
  it("shows the active run, then the queue in its order, then the rest newest first", () => {
    expect(order("queued", "queued", "completed", "running", "interrupted", "failed")).toEqual([
      "3 running",
      "1 queued",
      "0 queued",
      "2 completed",
      "4 interrupted",
      "5 failed",
    ]);
  });

  it.each(["running", "waiting", "paused"] as const)("has a run that is %s at the top", (state) => {
    expect(order("completed", state)).toEqual([`1 ${state}`, "0 completed"]);
  });
});
