import { expect, it } from "vitest";
import { round } from "../testing/fixtures";
import { awayWords } from "./away";

const NONE = { error: 0, warning: 0 };
const rounds = [4, 5, 6].map((each) =>
  round(each, { started_at: each * 10, duration_s: 5, accuracy: each / 10 }),
);

it("says what happened while the reader was away", () => {
  expect(awayWords(46, { error: 0, warning: 1 }, rounds)).toBe(
    "rounds 5 to 6 are over, 40.0 % to 60.0 %; 1 warning",
  );
  expect(awayWords(60, NONE, rounds)).toBe("round 6 is over, 50.0 % to 60.0 %");
  expect(awayWords(29, { error: 2_345, warning: 0 }, [])).toBe("2,345 errors");
});

it("says nothing where nothing has happened", () => {
  expect(awayWords(70, NONE, rounds)).toBeNull();
});
