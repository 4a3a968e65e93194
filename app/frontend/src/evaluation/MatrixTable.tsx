import { type ReactNode, useRef } from "react";
import { MatrixRow } from "./MatrixRow";
import styles from "./MatrixTable.module.css";
import type { Row } from "./tables";
import { useRowsInView } from "./useRowsInView";

export interface MatrixTableProps<Of extends Row> {
  caption: string;
  /** What the rows are, and what the columns are. */
  corner: string;
  columns: readonly string[];
  /** In place of a column's name. */
  columnHead?: (column: number) => ReactNode;
  /** The column that stands out. */
  chosen?: number;
  rows: readonly Of[];
  head: (row: Of) => ReactNode;
  /** One more column, before the accuracy. */
  note?: { title: string; of: (row: Of) => ReactNode };
  /** Of what the accuracy is, where that is not clear; null: the rows have none. */
  accuracy?: string | null;
  testId: string;
}

/** Counts by class as a heat map, each row with its accuracy. A real table: it can be read without the colours. */
export function MatrixTable<Of extends Row>(props: MatrixTableProps<Of>) {
  const { caption, corner, columns, columnHead, chosen, rows, note, accuracy = "accuracy", testId } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const { places, before, after } = useRowsInView(rows.length, scroller);
  return (
    <div ref={scroller} className={styles.scroller} tabIndex={0} role="region" aria-label={caption}>
      <table className={styles.table} aria-rowcount={rows.length + 1} data-testid={testId}>
        <caption className="hidden-visually">{caption}</caption>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col" className={styles.corner}>
              {corner}
            </th>
            {columns.map((name, column) => (
              <th
                key={column}
                scope="col"
                title={name}
                className={styles.column}
                data-chosen={column === chosen}
              >
                <span>{columnHead === undefined ? name : columnHead(column)}</span>
              </th>
            ))}
            {note !== undefined && (
              <th scope="col" className={styles.noteHead}>
                {note.title}
              </th>
            )}
            {accuracy !== null && (
              <th scope="col" className={styles.accuracyHead}>
                {accuracy}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          <Space pixels={before} />
          {places.map((place) => {
            const row = rows[place];
            return row && <MatrixRow key={row.id} row={row} place={place} {...props} />;
          })}
          <Space pixels={after} />
        </tbody>
      </table>
    </div>
  );
}

function Space({ pixels }: { pixels: number }) {
  if (pixels <= 0) return null;
  return (
    <tr aria-hidden="true">
      <td className={styles.space} style={{ height: pixels }} />
    </tr>
  );
}
