import { memo, useMemo } from "react";
import type { Usage } from "../api/types";
import type { Column } from "./metrics";
import { type Axis, type Band, pathOf } from "./series";
import styles from "./System.module.css";

interface MultipleProps {
  column: Column & { end: number };
  usages: readonly Usage[];
  bands: readonly Band[];
  axis: Axis;
  /** Percent of the axis; null: the pointer is elsewhere. */
  cursor: number | null;
}

/** One small chart, drawn anew only for what is new in it: there are four for each node, and the page changes each second. */
export const Multiple = memo(function Multiple({ column, usages, bands, axis, cursor }: MultipleProps) {
  const [strong, faint] = useMemo(
    () =>
      ([0, 1] as const).map((line) =>
        pathOf(usages, (usage) => column.values(usage)[line], axis, column.end),
      ),
    [column, usages, axis],
  );
  return (
    <svg
      className={styles.multiple}
      viewBox="0 0 100 100"
      preserveAspectRatio="none"
      aria-hidden="true"
      data-points={usages.length}
    >
      {bands.map(({ round, from, width }) => (
        <rect
          key={round}
          className={round % 2 === 0 ? styles.even : styles.odd}
          x={from}
          y={0}
          width={width}
          height={100}
        />
      ))}
      <path className={styles.faint} d={faint} />
      <path className={styles.strong} d={strong} />
      {cursor !== null && <path className={styles.cursor} d={`M${cursor} 0V100`} />}
    </svg>
  );
});
