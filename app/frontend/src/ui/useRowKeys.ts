import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from "react";

/** Of a row, or of each of the cells that take its place: the tab key reaches one row, and arrow keys the others. */
export interface RowFocus {
  tabIndex: 0 | -1;
  "data-at": number;
  onFocus: () => void;
}

interface RowKeysOf {
  /** The row that the tab key reaches; null: none. */
  at: number | null;
  focusOf: (index: number) => RowFocus | undefined;
  onKeyDown: ((event: KeyboardEvent) => void) | undefined;
}

/** Arrow keys move the focus between rows of which only those in view are there. `show`: brings one into view. */
export function useRowKeys(
  on: boolean,
  count: number,
  rowHeight: number,
  scroller: RefObject<HTMLDivElement | null>,
  show: (index: number) => void,
): RowKeysOf {
  const [wished, setAt] = useState(0);
  const wanted = useRef<{ row: number; cell: number } | null>(null);
  const at = Math.max(0, Math.min(wished, count - 1));
  useEffect(() => {
    // A row that was far away is there one drawing later.
    if (wanted.current === null) return;
    const cells = cellsAt(scroller.current, wanted.current.row);
    const cell = cells[wanted.current.cell] ?? cells[0];
    if (cell === undefined) return;
    wanted.current = null;
    cell.focus({ preventScroll: true });
  });
  if (!on) return { at: null, focusOf: () => undefined, onKeyDown: undefined };

  const onKeyDown = (event: KeyboardEvent): void => {
    // What stands within a row has keys of its own, and so may a cell have.
    const cell = cellsAt(scroller.current, at).findIndex((each) => each === event.target);
    if (cell === -1 || event.defaultPrevented) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 1);
    const next = nextRow(event.key, at, count, page);
    if (next === null) return;
    event.preventDefault();
    wanted.current = { row: next, cell };
    setAt(next);
    show(next);
  };
  const focusOf = (index: number): RowFocus => ({
    tabIndex: index === at ? 0 : -1,
    "data-at": index,
    onFocus: () => setAt(index),
  });
  return { at, focusOf, onKeyDown };
}

/** Where a key leads from a row; null: nowhere. `page`: rows in view. */
export function nextRow(key: string, at: number, count: number, page: number): number | null {
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: page,
    PageUp: -page,
    Home: -count,
    End: count,
  };
  const step = steps[key];
  return step === undefined ? null : Math.max(0, Math.min(count - 1, at + step));
}

function cellsAt(scroller: HTMLDivElement | null, index: number): readonly HTMLElement[] {
  return [...(scroller?.querySelectorAll<HTMLElement>(`[data-at="${index}"]`) ?? [])];
}
