import type { ReactNode } from "react";
import dialog from "../ui/Dialog.module.css";
import styles from "./UsersDialog.module.css";

interface ListPartProps {
  title: string;
  /** For tests and screen readers. */
  name: string;
  columns: readonly string[];
  /** One `tr` for each; undefined: not known yet. */
  rows: readonly ReactNode[] | undefined;
  /** Why something could not be done. */
  failure: string | undefined;
  about?: ReactNode;
  children: ReactNode;
}

/** A list of users or tokens, with a column of actions, and below it what adds another. */
export function ListPart({ title, name, columns, rows, failure, about, children }: ListPartProps) {
  return (
    <section className={styles.part} aria-label={name} data-testid={name}>
      <h2>{title}</h2>
      {about}
      {rows?.length === 0 && <p className="dim">There are none yet.</p>}
      {rows !== undefined && rows.length > 0 && (
        <table className={styles.table}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column}>{column}</th>
              ))}
              <th>
                <span className="hidden-visually">actions</span>
              </th>
            </tr>
          </thead>
          <tbody>{rows}</tbody>
        </table>
      )}
      {failure !== undefined && (
        <p className={dialog.failure} role="alert">
          {failure}
        </p>
      )}
      {children}
    </section>
  );
}
