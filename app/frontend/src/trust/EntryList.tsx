import { Button } from "@mantine/core";
import type { AuditEntry } from "../api/types";
import { count } from "../format/format";
import { Explained } from "../ui/Explained";
import { Ago } from "../ui/Value";
import { VirtualRows } from "../ui/VirtualRows";
import list from "../ui/List.module.css";
import styles from "./Trust.module.css";
import { useEntries } from "./useEntries";
import { entryWords } from "./words";

const COLUMNS = ["entry", "when", "what"] as const;

/** The newest entries first; those before come when asked for. */
export function EntryList({ size }: { size: number }) {
  const { entries, failure, older } = useEntries(size);
  if (failure !== null) {
    return (
      <p className={list.empty} role="alert">
        The entries of the audit log could not be listed: {failure}
      </p>
    );
  }
  if (entries === undefined) return <p className={list.empty}>loading the entries</p>;
  return (
    <VirtualRows
      role="table"
      label="entries of the audit log, newest first"
      testId="audit-entries"
      count={entries.length}
      rowHeight={24}
      keyOf={(index) => entries[index]?.index ?? index}
      render={(index) => {
        const entry = entries[index];
        return entry && <EntryRow entry={entry} />;
      }}
      head={
        <div className={`${list.row} ${list.head} ${styles.row}`} role="row">
          {COLUMNS.map((column) => (
            <span key={column} role="columnheader">
              {column}
            </span>
          ))}
        </div>
      }
      foot={
        older !== null && (
          <div role="row" className={styles.older}>
            <span role="cell">
              <Button variant="subtle" size="compact-sm" onClick={older} data-testid="audit-older">
                Older entries
              </Button>
            </span>
          </div>
        )
      }
    />
  );
}

function EntryRow({ entry }: { entry: AuditEntry }) {
  return (
    <div
      className={`${list.row} ${styles.row}`}
      role="row"
      data-testid="audit-entry"
      data-index={entry.index}
    >
      <span role="cell" className="mono">
        {count(entry.index)}
      </span>
      <span role="cell" className="dim">
        <Ago time={entry.time} />
      </span>
      <span role="cell" className={styles.what}>
        <Explained why={JSON.stringify(entry.fields)}>
          <strong>{entry.kind.replaceAll("-", " ")}</strong>
        </Explained>{" "}
        {entryWords(entry)}
      </span>
    </div>
  );
}
