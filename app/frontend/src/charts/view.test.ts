import { describe, expect, it } from "vitest";
import { DEFAULT_VIEW, readView, type View, withView, writeView } from "./view";

const chosen: View = { x: "clock", y: "zero", log: true, smooth: 0.6, panel: "bytes", below: true };

describe("the view of the curves", () => {
  it("is the same after a way through the address, and through what is stored", () => {
    const address = withView(new URLSearchParams("clients=a"), chosen);
    expect(readView(Object.fromEntries(address))).toEqual(chosen);
    expect(address.get("clients")).toBe("a");
    expect(readView(writeView(chosen))).toEqual(chosen);
  });

  it("leaves what is usual out of the address", () =>
    expect(withView(new URLSearchParams("x=clock&smooth=0.5"), DEFAULT_VIEW).toString()).toBe(""));

  it("has no more in the address than what a chart heeds", () =>
    expect(withView(new URLSearchParams("smooth=0.5"), chosen, ["y", "log"]).toString()).toBe(
      "smooth=0.5&y=zero&log=1",
    ));

  it("is what the address says, else what was remembered", () =>
    expect(readView({ x: "elapsed" }, chosen)).toEqual({ ...chosen, x: "elapsed" }));

  it("takes nothing from an address that means nothing", () =>
    expect(readView({ x: "moon", y: "", smooth: "1.5", panel: "?" })).toEqual(DEFAULT_VIEW));
});
