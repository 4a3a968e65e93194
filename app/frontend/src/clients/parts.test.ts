import { describe, expect, it } from "vitest";
import { result, round } from "../testing/fixtures";
import { deliveredIn, newestParts, withNewer } from "./parts";

const trained = result({ train_loss: 0.9, samples: 4 });
const whole = result({ train_loss: 0.8, samples: 4, accuracy: 0.6, loss: 0.4 });
const failed = result({ error: "out of memory" });

describe("a client's newest parts", () => {
  it("are those of the newest rounds in which it trained, in which it evaluated, and of all", () => {
    const rounds = [
      round(1, { per_client: { a: whole } }),
      round(2, { per_client: { a: trained } }),
      round(3, { per_client: { a: failed, b: failed } }),
    ];
    expect(newestParts(rounds)).toEqual(
      new Map([
        [
          "a",
          {
            latest: { round: 3, result: failed },
            trained: { round: 2, result: trained },
            evaluated: { round: 1, result: whole },
          },
        ],
        ["b", { latest: { round: 3, result: failed }, trained: undefined, evaluated: undefined }],
      ]),
    );
  });

  it("keep what a newer round does not say anew", () => {
    const known = newestParts([round(1, { per_client: { a: whole, b: whole } })]);
    const newer = newestParts([round(2, { complete: false, per_client: { a: trained, c: failed } })]);
    const both = withNewer(known, newer);
    expect([...both.keys()]).toEqual(["a", "b", "c"]);
    expect(both.get("a")).toEqual({
      latest: { round: 2, result: trained },
      trained: { round: 2, result: trained },
      evaluated: { round: 1, result: whole },
    });
    expect(both.get("b")).toBe(known.get("b"));
    expect(withNewer(known, new Map())).toBe(known);
  });
});

describe("the rounds in which an update counted", () => {
  it("are complete, and neither those before the first nor those in which it failed", () => {
    const rounds = [
      round(0, { per_client: { a: trained } }),
      round(1, { per_client: { a: trained, b: failed } }),
      round(2, { per_client: { a: whole, b: trained } }),
      round(3, { complete: false, per_client: { a: trained } }),
    ];
    expect(deliveredIn(rounds)).toEqual(
      new Map([
        ["a", 2],
        ["b", 1],
      ]),
    );
  });
});
