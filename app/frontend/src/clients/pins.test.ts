import { describe, expect, it } from "vitest";
import { pinsOf, toggled } from "./pins";

describe("pinned clients", () => {
  it("are read from the address, each once, and only what may be a name", () => {
    expect(pinsOf("client-1,b,client-1,,<b>")).toEqual(["client-1", "b"]);
    expect(pinsOf(null)).toEqual([]);
  });

  it("come and go, and beyond eight the first goes", () => {
    expect(toggled(["a"], "b")).toEqual(["a", "b"]);
    expect(toggled(["a", "b"], "a")).toEqual(["b"]);
    const eight = ["a", "b", "c", "d", "e", "f", "g", "h"];
    expect(toggled(eight, "i")).toEqual(["b", "c", "d", "e", "f", "g", "h", "i"]);
  });
});
