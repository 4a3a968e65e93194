import { describe, expect, it } from "vitest";
import type { Item } from "./timeline";
import { logEntry, result, round } from "../testing/fixtures";
import { roundSentence, timelineOf } from "./timeline";

const NO_LABELS = new Map<number, string>();
const rounds = [
  round(1, { started_at: 100, duration_s: 5 }),
  round(2, { started_at: 106, duration_s: 4 }),
  round(3, { started_at: 111, complete: false }),
];
const at = (time: number, level: "info" | "warning" = "info") => logEntry(time, { time, level });
const words = (items: readonly Item[]): string[] =>
  items.map((item) =>
    item.kind === "round" ? `round ${item.round.round} (${item.lines.length})` : `line ${item.entry.seq}`,
  );

describe("the timeline", () => {
  it("folds the lines of each round that is over, with that which tells its end", () => {
    const logs = [at(90), at(101), at(104), at(105.2), at(107), at(110.1), at(112), at(113)];
    expect(words(timelineOf(logs, rounds))).toEqual([
      "line 90",
      "round 1 (3)",
      "round 2 (2)",
      "line 112",
      "line 113",
    ]);
  });

  it("leaves warnings where they are", () => {
    expect(words(timelineOf([at(101), at(102, "warning")], rounds))).toEqual([
      "line 102",
      "round 1 (1)",
      "round 2 (0)",
    ]);
  });

  it("has what comes after the last round by itself", () => {
    const over = rounds.slice(0, 2);
    expect(words(timelineOf([at(110.1), at(130)], over))).toEqual(["round 1 (0)", "round 2 (1)", "line 130"]);
  });
});

describe("the sentence of a round", () => {
  it("says from whom it was made, and how good it is", () => {
    const three = round(3, { clients: 3, accuracy: 0.976 });
    expect(roundSentence(three, NO_LABELS)).toBe("round 3 aggregated from 3 of 3 clients: 97.6 %");
    expect(roundSentence(round(0, { clients: 0, accuracy: 0.1 }), NO_LABELS)).toBe("initial model: 10.0 %");
    expect(roundSentence(round(2, { clients: 2, loss: 0.5 }), new Map([[2, "1"]]))).toBe(
      "round 2 (the app's 1) aggregated from 2 of 2 clients: loss 0.500",
    );
  });

  it("names whom the round went on without", () => {
    const per_client = {
      a: result({ train_s: 2 }),
      b: result({ late: true }),
      c: result({ lost: true, error: "c was lost" }),
      d: result({ train_s: 2, error: "its evaluation failed" }),
    };
    expect(roundSentence(round(3, { clients: 2, client_accuracy: 0.5, per_client }), NO_LABELS)).toBe(
      "round 3 aggregated from 2 of 4 clients, without b, c: 50.0 %, mean of the clients",
    );
  });
});
