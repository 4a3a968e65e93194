/** What stands at one round of a chart: the rows of the hover, and the same in words. Pure functions. */
import { plural } from "../format/format";
import { TOKENS } from "../styles/theme";
import type { Spread } from "./band";
import { type LookOfLines, styleOf } from "./lines";
import type { Metric } from "./metrics";
import { type Line, valuesAt } from "./series";
import type { TooltipRow } from "./tooltip";
import { format } from "./values";

export interface RowsInput extends LookOfLines {
  metric: Metric;
  lines: readonly Line[];
  /** Who was late, by round. */
  late: ReadonlyMap<number, readonly string[]>;
  /** In place of a line for each client. */
  band: readonly Spread[];
  /** A line without a value at a place counts with the one before it. */
  asOf?: boolean;
}

/** So many rows of single clients; the box is never higher than the window. */
const MOST_ROWS = 12;

/** Every value at a round; of many clients, what they come to and those that stand out. */
export function rowsAt(round: number, input: RowsInput): TooltipRow[] {
  const { metric, lines } = input;
  const values = valuesAt(lines, round, metric, input.asOf);
  const [main, clients] = [values.filter(({ line }) => line.main), values.filter(({ line }) => !line.main)];
  const rows = (some: typeof values): TooltipRow[] =>
    some.map(({ line, value }) => row(line, valueWords(line, round, value, input), input));
  const spread = input.band.find((each) => each.round === round);
  const listed = clients.slice(0, MOST_ROWS);
  const more = (spread?.clients ?? clients.length) - listed.length;
  return [
    ...rows(main),
    ...(spread === undefined ? [] : spreadRows(spread, input)),
    ...rows(listed),
    ...(more > 0 ? [plain(`…and ${more} more`, "")] : []),
    ...lateRows(round, new Set(clients.map(({ line }) => line.name)), input),
  ];
}

function spreadRows(spread: Spread, input: RowsInput): TooltipRow[] {
  const words = (value: number): string => format(input.metric, value);
  const dim = TOKENS[input.theme].dim;
  return [
    { ...plain(`median of ${spread.clients}`, words(spread.median)), colour: dim },
    plain("middle half", `${words(spread.q1)} to ${words(spread.q3)}`),
    plain("lowest, highest", `${words(spread.min)} to ${words(spread.max)}`),
  ];
}

/** Those who have no value, as they were late; among many clients their number. */
function lateRows(round: number, known: ReadonlySet<string>, input: RowsInput): TooltipRow[] {
  const names = (input.late.get(round) ?? []).filter((name) => !known.has(name));
  if (names.length === 0) return [];
  if (input.band.length > 0) return [plain("late", plural(names.length, "client"))];
  return names.slice(0, MOST_ROWS).map((name) => row({ name, main: false }, "late", input));
}

function row(line: Pick<Line, "name" | "main">, text: string, input: RowsInput): TooltipRow {
  const { colour, dash } = styleOf(line, input);
  return { name: line.name, strong: line.main, text, colour, dash };
}

/** Not of a line. */
function plain(name: string, text: string): TooltipRow {
  return { name, strong: false, text, colour: "transparent", dash: "solid" };
}

/** "100.0 % of 1 sample" where a value is of a few samples only. */
function valueWords(line: Line, round: number, value: number, { metric }: RowsInput): string {
  const few = line.few?.get(round);
  const text = format(metric, value);
  return few === undefined ? text : `${text} of ${plural(few, "sample")}`;
}

/** "round 12: global 98.1 %, client-3 97.0 %" */
export function cursorWords(title: string, rows: readonly TooltipRow[]): string {
  const said = rows.map(({ name, text }) => (text === "" ? name : `${name} ${text}`));
  return `${title}: ${said.length > 0 ? said.join(", ") : "no value"}`;
}
