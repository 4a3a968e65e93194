import { describe, expect, it } from "vitest";
import { client } from "../testing/fixtures";
import { countsTitle, judged, verdictWords } from "./verdicts";

describe("verdicts in words", () => {
  it("are words, not codes", () => {
    expect(verdictWords("wrong_base_model")).toBe("wrong base model");
  });

  it("are counted for each client", () => {
    const one = client("client-1", { verdicts: { accepted: 1_200, bad_signature: 1 } });
    expect(judged(one)).toBe(1_201);
    expect(countsTitle(one)).toContain("in all 1,200 accepted, 1 bad signature");
  });
});
