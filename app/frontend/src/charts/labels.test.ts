import { describe, expect, it } from "vitest";
import { spread } from "./labels";

describe("spread", () => {
  it("leaves labels alone that have room", () =>
    expect(spread([10, 60, 30], 16, 0, 100)).toEqual([10, 60, 30]));
  it("moves close labels apart in their order", () =>
    expect(spread([50, 52, 48], 16, 0, 100)).toEqual([64, 80, 48]));
  it("keeps them above the lower edge", () =>
    expect(spread([98, 99, 97], 16, 0, 100)).toEqual([84, 100, 68]));
});
