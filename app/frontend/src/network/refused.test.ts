import { describe, expect, it } from "vitest";
import { NOTHING_REFUSED, refusalLines, refusedOf, refusedWords } from "./refused";

const FORGED = "a forged message: its signature is wrong";
const nameOf = (key: string): string => key.toLowerCase();
const refused = refusedOf(
  [
    {
      key: "ANA",
      refused: [
        { key: "EVE", words: FORGED, count: 1200 },
        { key: null, words: "a connection that did not say who it is", count: 3 },
      ],
    },
    { key: "BEN", refused: [{ key: "EVE", words: FORGED, count: 34 }] },
  ],
  nameOf,
);

describe("what was refused", () => {
  it("is summed for who has refused it and for whom it came by", () => {
    expect(refusedWords(refused("ANA"))).toBe("1,203 by it");
    expect(refusedWords(refused("EVE"))).toBe("1,234 of it");
    expect(refused("CAT")).toEqual(NOTHING_REFUSED);
    expect(refusedWords(refused("CAT"))).toBe("–");
  });

  it("of a node that refuses and is refused is both", () => {
    const both = refusedOf([{ key: "EVE", refused: [{ key: "EVE", words: FORGED, count: 1 }] }], nameOf);
    expect(refusedWords(both("EVE"))).toBe("1 of it, 1 by it");
  });

  it("stands in lines, the most frequent first, with who is at the other end", () => {
    expect(refusalLines(refused("EVE"))).toEqual([
      `1,200 × ${FORGED} (refused by ana)`,
      `34 × ${FORGED} (refused by ben)`,
    ]);
    expect(refusalLines(refused("ANA"))).toEqual([
      `1,200 × ${FORGED} (it came by eve)`,
      "3 × a connection that did not say who it is (it came by nobody who is a member)",
    ]);
  });
});
