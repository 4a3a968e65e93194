import { describe, expect, it } from "vitest";
import { refusedTitle, refusedWords } from "./refused";

describe("who was refused", () => {
  it("is nobody where nothing was counted", () => {
    expect(refusedWords({})).toBe("Nobody was refused since the server started.");
    expect(refusedWords({ revoked: 0 })).toBe("Nobody was refused since the server started.");
  });

  it("is counted in all and by the reason, the commonest first", () => {
    const refused = { "page-too-often": 2, "token-wrong": 1_200, "link-silent": 2 };
    expect(refusedWords(refused)).toBe(
      "refused since the server started: 1,204 (wrong invitation 1,200×, client that said nothing 2×, reader who asked too often 2×)",
    );
    expect(refusedTitle(refused)).toBe("token-wrong: 1,200\nlink-silent: 2\npage-too-often: 2");
  });

  it("is told by its code where this page has no words for that", () =>
    expect(refusedWords({ "link-too-old": 1 })).toBe(
      "refused since the server started: 1 (link too old 1×)",
    ));
});
