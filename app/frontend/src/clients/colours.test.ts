import { describe, expect, it } from "vitest";
import { assignColours, lineStyle } from "./colours";

describe("assignColours", () => {
  it("gives a numbered client its own place, whoever came first", () => {
    expect(assignColours({}, ["client-3", "client-1"])).toEqual({ "client-3": 2, "client-1": 0 });
  });

  it("never moves a client that has a colour", () => {
    const first = assignColours({}, ["berlin", "lyon"]);
    const second = assignColours(first, ["aachen", "berlin"]);
    expect(second).toEqual({ berlin: 0, lyon: 1, aachen: 2 });
  });

  it("moves on from a place that is taken", () => {
    expect(assignColours({}, ["a-1", "b-1"])).toEqual({ "a-1": 0, "b-1": 1 });
  });

  it("returns the same object when nothing is new", () => {
    const known = assignColours({}, ["client-1"]);
    expect(assignColours(known, ["client-1", "client-1"])).toBe(known);
  });
});

describe("lineStyle", () => {
  it("tells 21 clients apart by hue and dash in both themes", () => {
    for (const theme of ["dark", "light"] as const) {
      const styles = Array.from({ length: 21 }, (_, index) => JSON.stringify(lineStyle(index, theme)));
      expect(new Set(styles).size).toBe(21);
    }
  });
});
