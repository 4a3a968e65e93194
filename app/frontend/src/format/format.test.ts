import { describe, expect, it } from "vitest";
import {
  ago,
  bytes,
  clock,
  count,
  duration,
  exactTime,
  hasTwelveHours,
  latency,
  loss,
  number,
  percent,
  plural,
  span,
} from "./format";

describe("values without data", () => {
  it("are an en dash in every format", () => {
    for (const format of [count, percent, loss, duration, span, ago, bytes, number, latency]) {
      expect(format(null)).toBe("–");
      expect(format(undefined)).toBe("–");
      expect(format(Number.NaN)).toBe("–");
    }
  });
});

describe("duration", () => {
  it.each([
    [0, "0:00"],
    [41.9, "0:41"],
    [725, "12:05"],
    [3599.9, "59:59"],
    [3600, "1 h 0 min"],
    [4320, "1 h 12 min"],
    [-3, "0:00"],
  ])("writes %d s as %s", (seconds, text) => expect(duration(seconds)).toBe(text));
});

describe("ago", () => {
  it.each([
    [-2, "now"],
    [0.4, "now"],
    [12.7, "12 s ago"],
    [59.9, "59 s ago"],
    [60, "1 min ago"],
    [7300, "2 h ago"],
    [172_800, "2 d ago"],
  ])("writes an age of %d s as %s", (seconds, text) => expect(ago(seconds)).toBe(text));
});

describe("span", () => {
  it.each([
    [-1, "0 s"],
    [40.9, "40 s"],
    [125, "2 min"],
    [7300, "2 h"],
  ])("writes %d s as %s", (seconds, text) => expect(span(seconds)).toBe(text));
});

describe("metrics", () => {
  it.each([
    [0.9812, "98.1 %"],
    [1, "100.0 %"],
    [0, "0.0 %"],
  ])("writes the accuracy %d as %s", (value, text) => expect(percent(value)).toBe(text));

  it.each([
    [0.0614, "0.061"],
    [2.3026, "2.303"],
    [12.44, "12.4"],
    [1234.5, "1,235"],
    [1_234_567, "1.2e+6"],
    [-45.67, "-45.7"],
    [Number.POSITIVE_INFINITY, "–"],
  ])("writes the loss %d as %s", (value, text) => expect(loss(value)).toBe(text));
});

describe("counts and times", () => {
  it("groups thousands", () => expect(count(1240.2)).toBe("1,240"));
  it("agrees noun and number", () => {
    expect(plural(1, "client")).toBe("1 client");
    expect(plural(0, "client")).toBe("0 clients");
  });
  it("writes local clock and date with leading zeros", () => {
    const noon = new Date(2026, 2, 4, 9, 5, 7).getTime() / 1000;
    expect(clock(noon, false)).toBe("09:05:07");
    expect(exactTime(noon, false)).toBe("2026-03-04 09:05:07");
  });
  it("counts the hours as the reader's locale does", () => {
    expect(["de-DE", "en-GB", "en-US", "hi-IN"].map((locale) => hasTwelveHours(locale))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    const at = (hour: number): string => clock(new Date(2026, 2, 4, hour, 5, 7).getTime() / 1000, true);
    expect([0, 9, 12, 21].map(at)).toEqual(["12:05:07 am", "09:05:07 am", "12:05:07 pm", "09:05:07 pm"]);
  });
});

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [812, "812 B"],
    [1000, "1.0 kB"],
    [1_640_000, "1.6 MB"],
    [99_960, "100 kB"],
    [999_700, "1.0 MB"],
    [3.2e9, "3.2 GB"],
    [5e15, "5000 TB"],
  ])("writes %d as %s", (value, text) => expect(bytes(value)).toBe(text));
});

describe("number", () => {
  it.each([
    [0, "0"],
    [1797, "1,797"],
    [0.12345, "0.1235"],
    [-2.5, "-2.5"],
    [0.00001234, "1.2e-5"],
    [123_456.7, "1.2e+5"],
    [2e12, "2.0e+12"],
  ])("writes %d as %s", (value, text) => expect(number(value)).toBe(text));
});

describe("latency", () => {
  it.each([
    [0.0004, "0.4 ms"],
    [0.00994, "9.9 ms"],
    [0.012, "12 ms"],
    [0.9996, "1.0 s"],
    [12.34, "12.3 s"],
  ])("writes %d s as %s", (seconds, words) => expect(latency(seconds)).toBe(words));
});
