import type { CSSProperties, ReactNode } from "react";
import { count, percent } from "../format/format";
import { Value } from "../ui/Value";
import styles from "./MatrixTable.module.css";
import { type Cell, heat, type Row } from "./tables";

interface MatrixTableProps {
  caption: string;
  /** What the rows are, and what the columns are. */
  corner: string;
  columns: readonly string[];
  rows: readonly Row[];
  head: (row: Row) => ReactNode;
  testId: string;
}

/** Counts by class as a heat map, each row with its accuracy. A real table: it can be read without the colours. */
export function MatrixTable({ caption, corner, columns, rows, head, testId }: MatrixTableProps) {
  return (
    <div className={styles.scroller} tabIndex={0} role="region" aria-label={caption}>
      <table className={styles.table} data-testid={testId}>
        <caption className="hidden-visually">{caption}</caption>
        <thead>
          <tr>
            <th scope="col" className={styles.corner}>
              {corner}
            </th>
            {columns.map((name, label) => (
              <th key={label} scope="col" title={name} className={styles.column}>
                <span>{name}</span>
              </th>
            ))}
            <th scope="col" className={styles.accuracyHead}>
              accuracy
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <th scope="row" className={styles.name} title={row.id}>
                {head(row)}
              </th>
              {row.cells === null ? (
                <td colSpan={columns.length} className={styles.missing}>
                  {row.missing}
                </td>
              ) : (
                row.cells.map((cell, label) => <HeatCell key={label} cell={cell} />)
              )}
              <Accuracy row={row} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function HeatCell({ cell }: { cell: Cell }) {
  return (
    <td
      className={styles.cell}
      title={cell.title}
      data-zero={cell.count === 0}
      data-wrong={cell.wrong}
      style={{ "--heat": `${heat(cell.share)}%` } as CSSProperties}
    >
      {count(cell.count)}
    </td>
  );
}

function Accuracy({ row: { accuracy, noAccuracy } }: { row: Row }) {
  return (
    <td className={styles.accuracy}>
      <span className={styles.value}>
        <Value text={percent(accuracy)} why={noAccuracy} />
      </span>
      {accuracy !== null && (
        <span className={styles.track}>
          <span style={{ transform: `scaleX(${accuracy})` }} />
        </span>
      )}
    </td>
  );
}
