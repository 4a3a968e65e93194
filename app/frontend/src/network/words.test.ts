import { describe, expect, it } from "vitest";
import { distanceWords, hopsWords, linkWords, mergeWords, neighbourWords, partitionWords } from "./words";

describe("a merge", () => {
  const merge = { round: 4, since: 3, mesh_rounds: 6, clients: ["a", "b", "c", "d"], contributions: [] };
  it("is told in a sentence", () =>
    expect(mergeWords(merge)).toBe(
      "Round 4 took up what 4 clients learned without the server: up to 6 mesh rounds since round 3.",
    ));
  it("of one client speaks of one", () =>
    expect(mergeWords({ ...merge, clients: ["a"], mesh_rounds: 1 })).toBe(
      "Round 4 took up what 1 client learned without the server: 1 mesh round since round 3.",
    ));
});

describe("a partition", () => {
  const nodes = Array.from({ length: 9 }, (_, index) => ({ id: `id-${index}`, name: `n${index}` }));
  const network = (...islands: string[][]) =>
    ({ nodes, islands, links: [], blocked: [] }) as unknown as Parameters<typeof partitionWords>[0];
  it("is none where all reach each other, or nobody is there", () => {
    expect(partitionWords(network(["id-0", "id-1"]))).toBeNull();
    expect(partitionWords(network())).toBeNull();
  });
  it("names who reaches whom, a few of many", () =>
    expect(
      partitionWords(
        network(
          nodes.slice(1).map(({ id }) => id),
          ["id-0"],
        ),
      ),
    ).toBe("2 islands that do not reach each other: n1, n2, n3, n4, n5 and 3 more | n0"));
});

describe("numbers of the mesh", () => {
  it("are written with their unit, or why there is none", () => {
    expect(linkWords("a", "b", { latency: 0.0004, traffic: 1200 })).toBe("a – b: 0.4 ms, 1.2 kB/s");
    expect(linkWords("a", "b", { latency: null, traffic: null })).toBe("a – b: latency not measured yet");
    expect(distanceWords({ latency: 0.0004, traffic: null })).toBe("0.4 ms, –");
    expect(distanceWords({ latency: null, traffic: null })).toBe("–");
    const neighbours = [
      { name: "a", latency: 0.012 },
      { name: "b", latency: null },
    ];
    expect(neighbourWords(neighbours)).toBe("a 12 ms, b");
    expect([hopsWords(null), hopsWords([1, 1]), hopsWords([1, 3])]).toEqual(["–", "1", "1–3"]);
  });
});
