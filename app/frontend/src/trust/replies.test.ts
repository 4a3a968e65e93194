import { describe, expect, it } from "vitest";
import { client } from "../testing/fixtures";
import { countsWords, refusedFirst, sumOf } from "./replies";

const clients = [
  client("a", { verdicts: { late: 1, accepted: 3 } }),
  client("b", { verdicts: { accepted: 4 } }),
  client("c", { verdicts: { malformed: 2, bad_signature: 1 } }),
];

describe("the verdicts on replies", () => {
  it("are added up by kind, what was accepted first", () => {
    expect(countsWords(sumOf(clients))).toBe("7 accepted, 2 malformed, 1 late, 1 bad signature");
  });

  it("name the clients of whom some were refused, the most first", () => {
    expect(refusedFirst(clients).map(({ id, counts }) => `${id}: ${countsWords(counts)}`)).toEqual([
      "c: 2 malformed, 1 bad signature",
      "a: 3 accepted, 1 late",
    ]);
  });
});
