import { describe, expect, it } from "vitest";
import { usage } from "../testing/fixtures";
import { NO_USAGES, type Usages, WINDOW_S, withUpdate } from "./usages";

const times = (usages: Usages, client: string | null): number[] =>
  (usages.get(client) ?? []).map(({ time }) => time);

describe("what the socket tells of machines", () => {
  it("is kept by node, oldest first, and nothing that was there is changed", () => {
    const first = withUpdate(NO_USAGES, { nodes: [{ client: null, usage: usage(1) }] });
    const second = withUpdate(first, {
      nodes: [
        { client: null, usage: usage(3) },
        { client: "a", usage: usage(3) },
      ],
    });
    expect(times(second, null)).toEqual([1, 3]);
    expect(times(second, "a")).toEqual([3]);
    expect(times(first, null)).toEqual([1]);
  });

  it("is forgotten after a quarter of an hour, with the nodes of which nothing is left", () => {
    const old = withUpdate(NO_USAGES, { nodes: [{ client: "gone", usage: usage(1) }] });
    const later = withUpdate(old, { nodes: [{ client: null, usage: usage(WINDOW_S + 2) }] });
    expect([...later.keys()]).toEqual([null]);
  });

  it("does not grow without end, however many nodes there are", () => {
    const nodes = Array.from({ length: 900 }, (_, index) => ({ client: `c-${index}` }));
    let usages = NO_USAGES;
    for (let time = 0; time < 100; time += 1) {
      const told = usage(time);
      usages = withUpdate(usages, { nodes: nodes.map(({ client }) => ({ client, usage: told })) });
    }
    expect(times(usages, "c-0")).toHaveLength(50);
    expect(times(usages, "c-0").at(-1)).toBe(99);
  });
});
