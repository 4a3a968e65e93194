/** What is shown of a chart, as numbers: rows and columns as RFC 4180 has them. Pure functions. */
import type { Spread } from "./band";
import { type Line, stopsIn } from "./series";

export type Cell = string | number | null | undefined;

/** A value of each round. */
export interface Column {
  name: string;
  of: (round: number) => Cell;
}

/** A column per line and a row per round, or what else the `first` column is; of many clients, what they come to. */
export function csvOf(
  lines: readonly Line[],
  band: readonly Spread[],
  placeOf: Column | null,
  isSeen: (round: number) => boolean,
  first = "round",
): string {
  const spreads = new Map(band.map((spread) => [spread.round, spread]));
  const columns = [...lines].reverse();
  const values = columns.map((line) => new Map(line.points));
  const rounds = [...new Set([...spreads.keys(), ...stopsIn(lines)])].filter(isSeen).sort((a, b) => a - b);
  const head = [
    first,
    ...(placeOf === null ? [] : [placeOf.name]),
    ...columns.map(({ name }) => name),
    ...(band.length > 0 ? ["clients", ...SPREAD] : []),
  ];
  const rows = rounds.map((round): Cell[] => {
    const spread = spreads.get(round);
    return [
      round,
      ...(placeOf === null ? [] : [placeOf.of(round)]),
      ...values.map((of) => of.get(round)),
      ...(band.length > 0 ? [spread?.clients, ...SPREAD.map((name) => spread?.[name])] : []),
    ];
  });
  return table([head, ...rows]);
}

const SPREAD = ["min", "q1", "median", "q3", "max"] as const;

export function table(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}

function quoted(value: Cell): string {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
