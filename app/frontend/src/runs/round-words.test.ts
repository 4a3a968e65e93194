import { describe, expect, it } from "vitest";
import { round } from "../testing/fixtures";
import { appLabels, roundTitle } from "./round-words";

describe("a round", () => {
  const labels = appLabels([round(1), round(4, { label: "1" }), round(5, { label: "x".repeat(200) })]);

  it("has the app's own number beside FedLoom's where that is another", () => {
    expect(roundTitle(1, labels)).toBe("round 1");
    expect(roundTitle(4, labels)).toBe("round 4 (the app's 1)");
  });

  it("is not drowned in what an app calls it", () => expect(roundTitle(5, labels).length).toBeLessThan(50));
});
