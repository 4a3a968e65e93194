import { NO_DATA } from "../format/format";
import { Explained } from "../ui/Explained";
import type { RowFocus } from "../ui/useRowKeys";
import { Value } from "../ui/Value";
import type { Column } from "./metrics";
import { Multiple } from "./Multiple";
import { type Axis, type Band, momentAt, type Row } from "./series";
import styles from "./System.module.css";
import type { TimeCursor } from "./useTimeCursor";

interface NodeRowProps {
  row: Row;
  columns: readonly (Column & { end: number })[];
  bands: readonly Band[];
  axis: Axis;
  cursor: TimeCursor;
  /** What the cursor's time is called. */
  moment: string;
  /** Of the row's charts. */
  focus: RowFocus | undefined;
}

/** A node: a chart for each column, which is a slider over the time to the keyboard and the ear, under its value in words. */
export function NodeRow({ row, columns, bands, axis, cursor, moment, focus }: NodeRowProps) {
  const usage = cursor.at === null ? row.newest : momentAt(row.usages, cursor.at, axis.gap);
  const missing = row.why ?? "nothing was heard at that time";
  return (
    <div className={styles.row} role="row" data-testid="system-row" data-stale={row.why !== null}>
      <span role="rowheader" className={styles.name}>
        <span className="ellipsis" title={row.name}>
          {row.name}
        </span>
        {row.why !== null && <span className={styles.why}>{row.why}</span>}
      </span>
      {columns.map((column) => {
        const words = usage === undefined ? NO_DATA : column.words(usage);
        return (
          <div key={column.name} role="cell" className={styles.cell} data-column={column.name}>
            <span className={styles.words}>
              <span className={styles.label}>
                <Explained why={column.about}>{column.name}</Explained>{" "}
              </span>
              <Value text={words} why={missing} />
            </span>
            <div
              className={styles.chart}
              role="slider"
              aria-orientation="horizontal"
              aria-label={`${column.name} of ${row.name}; left and right move the time, up and down change the node`}
              aria-valuemin={-Math.round(axis.span)}
              aria-valuemax={0}
              aria-valuenow={-Math.round((1 - (cursor.part ?? 1)) * axis.span)}
              aria-valuetext={`${moment}: ${words === NO_DATA ? `no value, ${missing}` : words}`}
              onKeyDown={cursor.onKeyDown}
              onPointerMove={(event) => {
                const { left, width } = event.currentTarget.getBoundingClientRect();
                if (width > 0) cursor.move((event.clientX - left) / width);
              }}
              onPointerLeave={() => cursor.move(null)}
              data-testid="system-chart"
              {...focus}
            >
              <Multiple
                column={column}
                usages={row.usages}
                bands={bands}
                axis={axis}
                cursor={cursor.part === null ? null : cursor.part * 100}
              />
            </div>
          </div>
        );
      })}
    </div>
  );
}
