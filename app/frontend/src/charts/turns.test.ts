import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { inTurn } from "./turns";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("charts that are to be drawn", () => {
  it("are drawn one in each task, in their order", () => {
    const drawn: string[] = [];
    for (const name of ["accuracy", "loss", "times"]) inTurn(() => drawn.push(name));
    expect(drawn).toEqual([]);
    vi.advanceTimersToNextTimer();
    expect(drawn).toEqual(["accuracy"]);
    vi.runAllTimers();
    expect(drawn).toEqual(["accuracy", "loss", "times"]);
  });

  it("are not drawn once they are gone, and hold up no other", () => {
    const drawn: string[] = [];
    const cancel = inTurn(() => drawn.push("gone"));
    inTurn(() => drawn.push("there"));
    cancel();
    vi.runAllTimers();
    expect(drawn).toEqual(["there"]);
  });

  it("are drawn also after one that could not be", () => {
    const drawn: string[] = [];
    inTurn(() => {
      throw new Error("broken");
    });
    inTurn(() => drawn.push("whole"));
    expect(() => vi.runAllTimers()).toThrow("broken");
    vi.runAllTimers();
    expect(drawn).toEqual(["whole"]);
  });
});
