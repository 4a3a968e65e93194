import { describe, expect, it } from "vitest";
import { entranceOf } from "./entrance";

describe("how the reader comes", () => {
  it.each([
    ["", { by: "password", wrongKey: false }],
    ["#key=wrong", { by: "password", wrongKey: true }],
    ["#setup=abc", { by: "setup", token: "abc" }],
    ["#setup=", { by: "password", wrongKey: false }],
    ["#anything", { by: "password", wrongKey: false }],
  ])("by %j", (hash, entrance) => {
    expect(entranceOf(hash)).toEqual(entrance);
  });
});
