import { expect, it } from "vitest";
import { nextRow } from "./useRowKeys";

it.each([
  ["ArrowDown", 0, 1],
  ["ArrowDown", 9, 9],
  ["ArrowUp", 1, 0],
  ["ArrowUp", 0, 0],
  ["PageDown", 1, 5],
  ["PageUp", 1, 0],
  ["Home", 7, 0],
  ["End", 2, 9],
  ["a", 2, null],
  ["Enter", 2, null],
])("%s leads from row %d to %s, of ten", (key, at, next) => {
  expect(nextRow(key, at, 10, 4)).toBe(next);
});
