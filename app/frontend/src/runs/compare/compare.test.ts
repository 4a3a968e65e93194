import { describe, expect, it } from "vitest";
import type { ComparedRun } from "../../api/types";
import { outcome, run } from "../../testing/fixtures";
import { compareChoiceOf, compareParamsOf } from "./choice";
import { curvesOf, metricsOf, metricTitle, placesAt, placeTitle } from "./curves";
import { differenceWords, reachedWords, settingTitle, settingValue } from "./words";

function compared(id: string, values: ComparedRun["curves"]["values"]): ComparedRun {
  return {
    run: run({ id, name: id === "a" ? "first" : null }),
    outcome: outcome(),
    curves: { rounds: [1, 2], elapsed_s: [30, null], values },
  };
}

const RUNS = [
  compared("a", { accuracy: [0.5, 0.75], loss: [1, null] }),
  compared("b", { "evaluate/auc": [0.1, 0.2] }),
];

describe("what is compared", () => {
  it("stands in the address", () => {
    const address = "ids=a%2Cb&baseline=b&metric=loss&axis=time";
    expect(compareParamsOf(compareChoiceOf(new URLSearchParams(address))).toString()).toBe(address);
    expect(compareChoiceOf(new URLSearchParams("ids=a,,b,a&axis=x"))).toEqual({
      ids: ["a", "b"],
      baseline: null,
      metric: "accuracy",
      axis: "round",
    });
  });

  it("leaves the rest of the address alone", () => {
    const before = new URLSearchParams("ids=a&metric=loss&y=zero&log=1");
    const choice = { ids: ["a", "b"], baseline: null, metric: "accuracy", axis: "time" } as const;
    expect(compareParamsOf(choice, before).toString()).toBe("ids=a%2Cb&y=zero&log=1&axis=time");
  });
});

describe("the curves", () => {
  it("are of every metric that any run has", () => {
    expect(metricsOf(RUNS)).toEqual(["accuracy", "loss", "evaluate/auc"]);
    expect(metricTitle("evaluate/auc")).toBe("auc · evaluate");
  });

  it("are drawn by round, or by seconds where those are known", () => {
    expect(curvesOf(RUNS, "accuracy", "round")[0]).toEqual({
      name: "first (a)",
      main: false,
      points: [
        [1, 0.5],
        [2, 0.75],
      ],
    });
    expect(curvesOf(RUNS, "accuracy", "time")[0]?.points).toEqual([[30, 0.5]]);
    expect(curvesOf(RUNS, "loss", "round").map(({ points }) => points.length)).toEqual([1, 0]);
  });

  it("have an axis as long as the longest", () => {
    expect(placesAt("round", [1, 2, 7])).toMatchObject({ kind: "round", min: 0, max: 7 });
    const places = placesAt("time", [0.5, 30]);
    expect([places.kind, places.max, places.xOf(0.5), places.roundOf(30)]).toEqual(["elapsed", 30, 0.5, 30]);
    expect(placesAt("time", []).max).toBeGreaterThan(0);
    expect([placeTitle("round", 2), placeTitle("time", 80)]).toEqual(["round 2", "1:20 after the start"]);
  });
});

describe("the words", () => {
  const at = (accuracy: number) => outcome({ final: { round: 3, accuracy } });

  it.each([
    [0.912, 0.9, "+1.2"],
    [0.9, 0.904, "−0.4"],
    [0.9, 0.9, "±0.0"],
  ])("write %d against %d as %s", (one, other, words) =>
    expect(differenceWords(at(one), at(other))).toBe(words),
  );

  it("say nothing where nothing was measured", () => {
    expect(differenceWords(outcome(), at(0.5))).toBe("–");
    expect(reachedWords(null)).toBe("–");
    expect(reachedWords({ round: 3, seconds: 80 })).toBe("1:20, round 3");
  });

  it("name settings as the form does", () => {
    expect(settingTitle("lr")).toBe("Learning rate");
    expect(settingTitle("dp.noise_multiplier")).toBe("dp.noise multiplier");
    expect([settingValue(null), settingValue(true), settingValue(0.1)]).toEqual(["–", "yes", "0.1"]);
  });
});
