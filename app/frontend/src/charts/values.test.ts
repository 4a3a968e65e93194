import { describe, expect, it } from "vitest";
import { drawn, format, tickWords } from "./values";

const [accuracy, loss] = [{ kind: "accuracy" }, { kind: "loss" }] as const;
const number = { kind: "number", stage: "evaluate", name: "accuracy" } as const;

describe("a metric's values", () => {
  it("are per cent for an accuracy, and raw for an app's number of whatever name", () => {
    expect([format(accuracy, 0.981), format(number, 98.1), format(number, 0.981)]).toEqual([
      "98.1 %",
      "98.1",
      "0.981",
    ]);
    expect([drawn(accuracy, 0.5), drawn(loss, 0.5), drawn(number, 0.5)]).toEqual([50, 0.5, 0.5]);
  });

  it.each([
    [accuracy, 95, "95 %"],
    [loss, 2.5, "2.5"],
    [number, 0, "0"],
    [number, -0.25, "-0.25"],
    [number, 1_234_500, "1.235M"],
    [number, 1.5e-5, "1.5e-5"],
    [number, 2e20, "2.0e+20"],
  ])("fit beside their axis (%#)", (metric, value, words) => expect(tickWords(metric, value)).toBe(words));
});
