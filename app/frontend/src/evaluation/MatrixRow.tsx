import type { CSSProperties } from "react";
import { percent } from "../format/format";
import { Value } from "../ui/Value";
import styles from "./MatrixTable.module.css";
import type { MatrixTableProps } from "./MatrixTable";
import { type Cell, heat, type Row } from "./tables";

/** One class or client: its counts, and its accuracy. */
export function MatrixRow<Of extends Row>({
  row,
  place,
  columns,
  chosen,
  head,
  note,
  accuracy = "accuracy",
}: MatrixTableProps<Of> & { row: Of; place: number }) {
  return (
    <tr aria-rowindex={place + 2} data-row={row.id}>
      <th scope="row" className={styles.name} title={row.id}>
        {head(row)}
      </th>
      {row.cells === null ? (
        <td colSpan={columns.length} className={styles.missing}>
          {row.missing}
        </td>
      ) : (
        row.cells().map((cell, label) => <HeatCell key={label} cell={cell} chosen={label === chosen} />)
      )}
      {note !== undefined && <td className={styles.note}>{note.of(row)}</td>}
      {accuracy !== null && <Accuracy row={row} />}
    </tr>
  );
}

function HeatCell({ cell, chosen }: { cell: Cell; chosen: boolean }) {
  return (
    <td
      className={styles.cell}
      title={cell.title}
      data-zero={cell.count === 0}
      data-wrong={cell.wrong}
      data-chosen={chosen}
      style={{ "--heat": `${heat(cell.share)}%` } as CSSProperties}
    >
      {cell.text}
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
