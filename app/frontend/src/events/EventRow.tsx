import type { LogEntry } from "../api/types";
import { ClientName } from "../clients/ClientName";
import { StateMark } from "../ui/StateMark";
import { Traceback } from "../ui/Traceback";
import { Clock } from "../ui/Value";
import { CopyReport } from "./CopyReport";
import styles from "./EventFeed.module.css";
import { LEVEL_MARKS, PRINT_MARK } from "./marks";
import { isPrinted, printWords } from "./prints";

interface EventRowProps {
  entry: LogEntry;
  open: boolean;
  toggle: () => void;
}

export function EventRow({ entry, open, toggle }: EventRowProps) {
  const printed = isPrinted(entry);
  const mark = printed ? PRINT_MARK : LEVEL_MARKS[entry.level];
  const meaning = printed ? printWords(entry) : entry.level;
  return (
    <div className={styles.row} data-level={entry.level} data-printed={printed} data-testid="log-row">
      <span className={styles.time}>
        <Clock time={entry.time} />
      </span>
      <span className={styles.level} title={meaning}>
        <StateMark mark={mark} />
        <span className="hidden-visually">{meaning}</span>
      </span>
      <div className={styles.message}>
        {entry.source !== "server" && <ClientName id={entry.source} />}
        <span className={printed ? styles.printed : undefined}>{entry.message}</span>
        {entry.traceback !== null && (
          <button type="button" className={styles.toggle} aria-expanded={open} onClick={toggle}>
            {open ? "hide traceback" : "show traceback"}
          </button>
        )}
        {open && entry.traceback !== null && (
          <Traceback
            text={entry.traceback}
            actions={<CopyReport runId={entry.run_id} source={entry.source} traceback={entry.traceback} />}
          />
        )}
      </div>
    </div>
  );
}
