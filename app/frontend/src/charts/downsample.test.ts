import { describe, expect, it } from "vitest";
import { downsampled } from "./downsample";
import type { Point } from "./series";

const wave: Point[] = Array.from({ length: 5000 }, (_, round) => [round, Math.sin(round / 100)]);

describe("downsampled", () => {
  it("leaves a curve alone that has few points", () =>
    expect(downsampled(wave.slice(0, 1000))).toHaveLength(1000));

  it("keeps the ends, and rounds in their order", () => {
    const fewer = downsampled(wave);
    expect(fewer).toHaveLength(1000);
    expect([fewer[0], fewer.at(-1)]).toEqual([wave[0], wave.at(-1)]);
    expect(fewer.every(([round], at) => at === 0 || round > (fewer[at - 1]?.[0] ?? 0))).toBe(true);
  });

  it("keeps the one round that stands out", () => {
    const spike = wave.map(([round]): Point => [round, round === 2345 ? 9 : 0.5]);
    expect(downsampled(spike, 50)).toContainEqual([2345, 9]);
  });
});
