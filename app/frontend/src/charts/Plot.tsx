import type { RefObject } from "react";
import styles from "./ChartPanel.module.css";
import type { Zoom } from "./useChart";
import type { Cursor } from "./useCursor";

interface PlotProps {
  plot: RefObject<HTMLDivElement | null>;
  /** What it shows, and its newest value. */
  label: string;
  /** The rounds that have a place, ascending. */
  stops: readonly number[];
  chart: Zoom;
  cursor: Cursor;
  /** The round that `words` are about: the one under the cursor, else the one kept, else the newest. */
  told: number;
  words: string;
  /** For tests: what a canvas does not tell. */
  data: Readonly<Record<`data-${string}`, string | number | null | undefined>>;
}

/** Where a chart is drawn. To the keyboard and the ear it is a slider over the rounds, whose value is what stands there. */
export function Plot({ plot, label, stops, chart, cursor, told, words, data }: PlotProps) {
  return (
    <div
      ref={plot}
      className={styles.plot}
      role="slider"
      tabIndex={0}
      aria-orientation="horizontal"
      aria-label={`${label}; arrow keys move through the rounds${cursor.keeps ? ", enter keeps one" : ""}`}
      aria-valuemin={stops[0] ?? 0}
      aria-valuemax={stops.at(-1) ?? 0}
      aria-valuenow={told}
      aria-valuetext={words}
      onKeyDown={(event) => cursor.onKeyDown(event, chart, stops)}
      onBlur={() => chart.point(null)}
      {...data}
    />
  );
}
