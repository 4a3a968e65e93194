import { defaultRangeExtractor, useVirtualizer, type Virtualizer } from "@tanstack/react-virtual";
import { type Key, type ReactNode, type RefObject, useEffect, useRef } from "react";
import { type RowFocus, useRowKeys } from "./useRowKeys";
import styles from "./VirtualRows.module.css";

interface VirtualRowsProps {
  count: number;
  /** Pixels a row usually has; a taller one is measured. */
  rowHeight: number;
  /** Whether none is taller: then none is measured, for which the browser would have to lay out the page at once. */
  even?: boolean;
  keyOf: (index: number) => Key;
  /** What the rows are wanted by, such as a search: with another, the list begins at its top again. */
  wanted?: string;
  /** `focus`: for the row's element, where the rows are `roving`. */
  render: (index: number, focus: RowFocus | undefined) => ReactNode;
  role: "table" | "grid" | "list";
  label: string;
  testId: string;
  /** Given where the list follows its newest row: whether it does, and how to say that the reader left or came back. */
  follow?: { on: boolean; change: (on: boolean) => void };
  /** Whether arrow keys move the focus between the rows. */
  roving?: boolean;
  /** Stays on top while the rows scroll. */
  head?: ReactNode;
  /** Comes after the last row. */
  foot?: ReactNode;
}

/** Rows that are drawn above and below those in view: each is drawn with them when a page is opened. */
const AHEAD = 4;

type RowsVirtualizer = Virtualizer<HTMLDivElement, Element>;

/** Draws only the rows in view. */
export function VirtualRows({
  count,
  rowHeight,
  even = false,
  keyOf,
  wanted = "",
  render,
  role,
  label,
  testId,
  follow,
  roving = false,
  head,
  foot,
}: VirtualRowsProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const focused = useRef<number | null>(null);
  const virtualizer: RowsVirtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: keyOf,
    overscan: AHEAD,
    // The row with the focus stays, however far it is scrolled away.
    rangeExtractor: (range) => {
      const inView = defaultRangeExtractor(range);
      const kept = focused.current;
      return kept === null || kept >= count || inView.includes(kept)
        ? inView
        : [...inView, kept].sort((a, b) => a - b);
    },
  });
  const { at, focusOf, onKeyDown } = useRowKeys(roving, count, rowHeight, scroller, (index) =>
    virtualizer.scrollToIndex(index),
  );
  useEffect(() => {
    focused.current = at;
  }, [at]);
  const before = useRef(wanted);
  useEffect(() => {
    if (before.current !== wanted && scroller.current !== null) scroller.current.scrollTop = 0;
    before.current = wanted;
  }, [wanted]);
  const onScroll = useFollow(virtualizer, scroller, count > 0 ? keyOf(count - 1) : null, follow);
  return (
    <div
      ref={scroller}
      className={styles.scroller}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
      tabIndex={roving ? undefined : 0}
      role={role}
      aria-multiselectable={role === "grid" ? true : undefined}
      aria-label={label}
      data-testid={testId}
    >
      {head}
      <div
        className={styles.rows}
        style={{ height: virtualizer.getTotalSize() }}
        role={role === "list" ? undefined : "rowgroup"}
      >
        {virtualizer.getVirtualItems().map((item) => (
          <div
            key={item.key}
            ref={even ? undefined : virtualizer.measureElement}
            data-index={item.index}
            className={styles.row}
            style={{ transform: `translateY(${item.start}px)` }}
            role={role === "list" ? "listitem" : "presentation"}
          >
            {render(item.index, focusOf(item.index))}
          </div>
        ))}
      </div>
      {foot}
    </div>
  );
}

/** Scrolls to the last row when it changes; scrolling up ends that, scrolling back to the end resumes it. */
function useFollow(
  virtualizer: RowsVirtualizer,
  scroller: RefObject<HTMLDivElement | null>,
  lastKey: Key | null,
  follow: VirtualRowsProps["follow"],
): () => void {
  const lastTop = useRef(0);
  const on = follow?.on ?? false;
  useEffect(() => {
    if (on && lastKey !== null) virtualizer.scrollToIndex(virtualizer.options.count - 1, { align: "end" });
  }, [on, lastKey, virtualizer]);
  return () => {
    const element = scroller.current;
    if (element === null || follow === undefined) return;
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 16;
    // Rows that grow while they are measured also leave the end; only a move upwards is the reader's.
    if (atEnd) follow.change(true);
    else if (element.scrollTop < lastTop.current) follow.change(false);
    lastTop.current = element.scrollTop;
  };
}
