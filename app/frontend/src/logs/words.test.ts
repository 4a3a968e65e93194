import { describe, expect, it } from "vitest";
import { logEntry } from "../testing/fixtures";
import { copyOf, momentOf, seen, summaryOf } from "./words";

const TRACEBACK = `Traceback (most recent call last):
  File "/home/ann/task.py", line 12, in train
    loss = f(x)
  File "/usr/lib/python3.11/site-packages/torch/nn.py", line 99, in f
    raise ValueError(x)
ValueError: NaN in the loss
`;

describe("a line of the log", () => {
  it("has no colours, and a sign for what cannot be seen", () => {
    expect(seen("\u001b[31mred\u001b[0m \u001b]0;title\u0007text\tand\r\nmore")).toBe("red text\tand\nmore");
    expect(seen("a\u0000b\rc\u202ed\u001b")).toBe("a␦b␦c␦d␦");
    expect(seen("<b>bold</b> ünï 数")).toBe("<b>bold</b> ünï 数");
  });

  it("says in short what was raised", () => {
    expect(summaryOf(logEntry(1, { message: "it failed", traceback: TRACEBACK }))).toBe(
      "it failed · ValueError: NaN in the loss",
    );
    expect(summaryOf(logEntry(1, { message: "ValueError: NaN in the loss", traceback: TRACEBACK }))).toBe(
      "ValueError: NaN in the loss",
    );
    expect(summaryOf(logEntry(1, { message: "first\nsecond" }))).toBe("first");
  });

  it("is copied with the frame in one's own code first", () => {
    const lines = copyOf(logEntry(1, { message: "it failed", traceback: TRACEBACK })).split("\n");
    expect(lines[0]).toMatch(/server info app\.federation\.runs: it failed$/);
    expect(lines[1]).toBe("task.py, line 12, in train: loss = f(x)");
    expect(lines.at(-1)).toBe("ValueError: NaN in the loss");
  });
});

describe("what the reader wants to go to", () => {
  const now = new Date(2026, 10, 27, 12, 0, 0).getTime() / 1000;
  const at = (...[day, hour, minute, second]: [number, number, number, number]): number =>
    new Date(2026, 10, day, hour, minute, second).getTime() / 1000;

  it("is a round, a time of this day or the one before, or a day and a time", () => {
    expect(momentOf("round 3", now)).toEqual({ round: 3 });
    expect(momentOf(" R12 ", now)).toEqual({ round: 12 });
    expect(momentOf("11:41", now)).toEqual({ time: at(27, 11, 41, 0) });
    expect(momentOf("11:41:07", now)).toEqual({ time: at(27, 11, 41, 7) });
    expect(momentOf("23:59", now)).toEqual({ time: at(26, 23, 59, 0) });
    expect(momentOf("2026-11-20 08:00", now)).toEqual({ time: at(20, 8, 0, 0) });
  });

  it("is nothing else", () => {
    for (const text of ["", "3", "25:00", "12:60", "noon", "12", "round", "99999999999:1"]) {
      expect(momentOf(text, now)).toBeNull();
    }
  });
});
