import { useVirtualizer } from "@tanstack/react-virtual";
import type { RefObject } from "react";
import { HUNDREDS } from "../clients/many";

/** Pixels, with the space between two. */
const ROW_HEIGHT = 19;

interface RowsInView {
  places: readonly number[];
  /** Pixels of the rows that are not drawn. */
  before: number;
  after: number;
}

/** All rows while they are few; from a hundred on those in view alone are drawn. */
export function useRowsInView(rows: number, scroller: RefObject<HTMLDivElement | null>): RowsInView {
  const virtualizer = useVirtualizer({
    count: rows,
    enabled: rows >= HUNDREDS,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
  });
  if (rows < HUNDREDS)
    return { places: Array.from({ length: rows }, (_, place) => place), before: 0, after: 0 };
  const items = virtualizer.getVirtualItems();
  return {
    places: items.map(({ index }) => index),
    before: items[0]?.start ?? 0,
    after: virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0),
  };
}
