import { describe, expect, it } from "vitest";
import { BASE, baseOf } from "./base";

describe("where the page is", () => {
  it.each([
    ["https://example.org/static/assets/index-1.js", ""],
    ["https://example.org/fedloom/static/assets/index-1.js", "/fedloom"],
    ["https://example.org/a/b/static/assets/base-1.js", "/a/b"],
    ["http://localhost:5173/src/api/base.ts", ""],
  ])("follows from the address of its scripts: %s", (script, base) => {
    expect(baseOf(script)).toBe(base);
  });

  it("is the root where no server has built it", () => {
    expect(BASE).toBe("");
  });
});
