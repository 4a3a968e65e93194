import { describe, expect, it } from "vitest";
import { movedBy } from "./cursor";

const rounds = [0, 1, 2, 5, 6];

describe("movedBy", () => {
  it.each([
    ["ArrowLeft", null, 6],
    ["ArrowRight", null, 6],
    ["ArrowLeft", 5, 2],
    ["ArrowRight", 5, 6],
    ["ArrowRight", 6, 6],
    ["ArrowLeft", 0, 0],
    ["PageUp", 6, 0],
    ["PageDown", 0, 6],
    ["Home", 5, 0],
    ["End", 1, 6],
    ["Escape", 5, null],
  ])("%s from %s goes to %s", (key, at, to) => expect(movedBy(key, at, rounds)).toBe(to));

  it("leaves other keys alone, and has nowhere to go without a round", () => {
    expect(movedBy("a", 1, rounds)).toBeUndefined();
    expect(movedBy("End", null, [])).toBeUndefined();
  });
});
