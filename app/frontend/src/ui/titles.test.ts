import { expect, it } from "vitest";

const SOURCES = import.meta.glob<string>(["../**/*.tsx", "!../**/*.test.tsx"], {
  query: "?raw",
  import: "default",
  eager: true,
});

/** What has a title and cannot have the focus, by file, and why that is enough. */
const ENOUGH: Readonly<Record<string, string>> = {
  "charts/ChartPanel": "the same text, where it is cut short",
  "clients/ClientCells": "the same text, where it is cut short",
  "clients/ClientName": "the same text, where it is cut short",
  "clients/ClientWork": "the same text, where it is cut short",
  "evaluation/MatrixTable": "the same text, where it is cut short",
  "evaluation/MatrixRow": "the same numbers, by the choice of counts and shares",
  "events/EventRow": "the same text, for the ear",
  "logs/LogRow": "the same text, for the ear",
  "network/GroupGraph": "the same text, in the table for the keyboard",
  "network/LinkLabel": "the same text, in the table for the keyboard",
  "network/MeshChart": "the same text, where it is cut short",
  "runs/RunState": "the same text, where it is cut short",
  "runs/list/RunRow": "a row that has the focus, and opens to all of it",
  "system/NodeRow": "the same text, where it is cut short",
};

const BARE = /<(span|td|th|div|li|p|dd|dt|time|label|ul|svg)\s(?:=>|[^<>])*?\btitle=/;

it("says nothing on hover alone: what explains itself is `Explained`", () => {
  const bare = Object.entries(SOURCES)
    .filter(([, source]) => BARE.test(source))
    .map(([path]) => path.replace(/^\.\.\//, "").replace(/\.tsx$/, ""));
  expect(bare.sort()).toEqual(Object.keys(ENOUGH).sort());
});
