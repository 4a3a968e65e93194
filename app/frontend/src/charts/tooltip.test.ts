import { describe, expect, it } from "vitest";
import { tooltipPlace } from "./tooltip";

/** The chart's corner is 10 pixels right of and 100 below the window's. */
const window = { left: -10, top: -100, width: 400, height: 300 };

describe("tooltipPlace", () => {
  it("is right of and below the pointer where there is room", () => {
    expect(tooltipPlace([50, 20], [100, 80], window)).toEqual([66, 36]);
  });

  it("is left of a pointer that is far to the right", () => {
    expect(tooltipPlace([350, 20], [100, 80], window)).toEqual([234, 36]);
  });

  it("never leaves the window, also when it is almost as wide", () => {
    expect(tooltipPlace([200, 180], [380, 80], window)).toEqual([-10, 120]);
    expect(tooltipPlace([0, 0], [500, 400], window)).toEqual([-10, -100]);
  });
});
