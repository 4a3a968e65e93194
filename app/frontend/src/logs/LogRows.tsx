import { useElementSize, useMergedRef } from "@mantine/hooks";
import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import rows from "../ui/VirtualRows.module.css";
import { heightOf, indexAt, type Opened, ROW, topOf } from "./layout";

/** Pixels of the list, until they are measured. */
const UNKNOWN = 400;

/** Rows that are drawn beyond those in view. */
const SPARE = 8;

interface LogRowsProps {
  total: number;
  label: string;
  /** Open rows, with their heights as they are measured. */
  opened: Opened;
  measured: (index: number, extra: number) => void;
  render: (index: number) => ReactNode;
  look: (first: number, last: number) => void;
  /** Whether the newest row stays in view, and how to say that the reader left or came back. */
  following: boolean;
  follow: (on: boolean) => void;
  /** The row that the reader is to be taken to; another object means another wish. */
  target: { index: number } | null;
}

/** A list of any length, of which only the rows in view are drawn. */
export function LogRows({
  total,
  label,
  opened,
  measured,
  render,
  look,
  following,
  follow,
  target,
}: LogRowsProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const size = useElementSize<HTMLDivElement>();
  const ref = useMergedRef(scroller, size.ref);
  const [top, setTop] = useState(0);
  const lastTop = useRef(0);
  const height = heightOf(total, opened);
  const inView = size.height === 0 ? UNKNOWN : size.height;
  const firstSeen = indexAt(top, total, opened);
  const lastSeen = indexAt(top + inView, total, opened);
  const first = Math.max(0, firstSeen - SPARE);
  const end = Math.min(total, lastSeen + SPARE + 1);

  useLayoutEffect(() => look(firstSeen, lastSeen));
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element !== null && following) element.scrollTop = element.scrollHeight;
  }, [following, height, inView]);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null || target === null) return;
    const row = topOf(target.index, opened);
    if (row >= element.scrollTop && row + ROW <= element.scrollTop + element.clientHeight) return;
    element.scrollTop = Math.max(0, row - (element.clientHeight - ROW) / 2);
    setTop(element.scrollTop);
    lastTop.current = element.scrollTop;
    // Once for each wish: what is opened after that moves nothing.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [target]);

  const onScroll = (): void => {
    const element = scroller.current;
    if (element === null) return;
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < ROW / 2;
    if (element.scrollTop < lastTop.current && !atEnd) follow(false);
    else if (element.scrollTop > lastTop.current && atEnd) follow(true);
    lastTop.current = element.scrollTop;
    setTop(element.scrollTop);
  };
  return (
    <div
      ref={ref}
      className={rows.scroller}
      onScroll={onScroll}
      tabIndex={0}
      role="list"
      aria-label={label}
      data-testid="log-lines"
    >
      <div className={rows.rows} style={{ height }}>
        {Array.from({ length: Math.max(0, end - first) }, (_, offset) => {
          const index = first + offset;
          return (
            <div
              key={index}
              ref={(row) => {
                if (row === null || !opened.has(index)) return;
                const extra = row.offsetHeight - ROW;
                if (extra > 0 && extra !== opened.get(index)) measured(index, extra);
              }}
              className={rows.row}
              style={{ transform: `translateY(${topOf(index, opened)}px)` }}
              role="listitem"
              aria-setsize={total}
              aria-posinset={index + 1}
            >
              {render(index)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
