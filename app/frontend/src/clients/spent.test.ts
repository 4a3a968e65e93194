import { describe, expect, it } from "vitest";
import { result, round } from "../testing/fixtures";
import { latestSpent, left, spentTitle, spentWords } from "./spent";

const spent = (epsilon: number, budget: number | null = 3) =>
  result({ epsilon, epsilon_of_run: epsilon, epsilon_budget: budget });
const declined = result({ verdict: "declined", error: "declined by its site: privacy_budget = 3" });

describe("what clients have spent", () => {
  it("is what they have said last", () => {
    const known = latestSpent([
      round(1, { per_client: { a: spent(1), b: spent(1.5, null) } }),
      round(2, { per_client: { a: spent(2) } }),
    ]);
    expect(known.get("a")).toEqual({ epsilon: 2, ofRun: 2, budget: 3, declined: false });
    expect(known.get("b")).toEqual({ epsilon: 1.5, ofRun: 1.5, budget: null, declined: false });
  });

  it("stays what it was when their sites decline", () => {
    const known = latestSpent([
      round(1, { per_client: { a: spent(2.9) } }),
      round(2, { per_client: { a: declined, b: declined } }),
    ]);
    expect(known.get("a")).toMatchObject({ epsilon: 2.9, declined: true });
    expect(known.has("b")).toBe(false);
  });

  it("is put into words with what is left", () => {
    const of = { epsilon: 2.414, ofRun: 1.2, budget: 3, declined: false };
    expect(spentWords(of)).toBe("2.41 of 3.00, 0.59 left");
    expect(left({ ...of, epsilon: 3.2 })).toBe(0);
    expect(spentWords({ ...of, budget: null })).toBe("2.41, no budget");
    expect(spentTitle(of)).toContain("in all runs, 1.20 in this run alone");
  });
});
