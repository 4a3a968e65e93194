/** Where rows of one height stand of which some are open, and then higher. Pure functions: what they take does not grow with the rows. */

export const ROW = 24;

/** Index → pixels that an open row has more than others. */
export type Opened = ReadonlyMap<number, number>;

export function topOf(index: number, opened: Opened): number {
  let top = index * ROW;
  for (const [open, extra] of opened) if (open < index) top += extra;
  return top;
}

export function heightOf(count: number, opened: Opened): number {
  return topOf(count, opened);
}

/** The row at a height; of those before the first and after the last, these. */
export function indexAt(y: number, count: number, opened: Opened): number {
  let above = 0;
  for (const [open, extra] of [...opened].sort(([a], [b]) => a - b)) {
    const begin = open * ROW + above;
    if (y < begin + ROW) break;
    if (y < begin + ROW + extra) return Math.min(open, Math.max(0, count - 1));
    above += extra;
  }
  return Math.max(0, Math.min(count - 1, Math.floor((y - above) / ROW)));
}
