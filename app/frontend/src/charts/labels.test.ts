import { describe, expect, it } from "vitest";
import { labelText, spread } from "./labels";

describe("spread", () => {
  it("leaves labels alone that have room", () =>
    expect(spread([10, 60, 30], 16, 0, 100)).toEqual([10, 60, 30]));
  it("moves close labels apart in their order", () =>
    expect(spread([50, 52, 48], 16, 0, 100)).toEqual([64, 80, 48]));
  it("keeps them above the lower edge", () =>
    expect(spread([98, 99, 97], 16, 0, 100)).toEqual([84, 100, 68]));
});

describe("a label", () => {
  it.each([
    ["client-3", "97.6 %", "client-3  97.6 %"],
    ["client-100", "100.0 %", "client-100  100.0 %"],
    ["university-hospital-north", "97.6 %", "unive…north  97.6 %"],
  ])("of %s keeps its value", (name, value, text) => expect(labelText(name, value, 19)).toBe(text));
});
