import { Button, CopyButton } from "@mantine/core";
import { Link } from "wouter";
import type { LogEntry } from "../api/types";
import { ClientName } from "../clients/ClientName";
import { LEVEL_MARKS, PRINT_MARK } from "../events/marks";
import { isPrinted, printWords } from "../events/prints";
import { clock, exactTime } from "../format/format";
import { StateMark } from "../ui/StateMark";
import { Traceback } from "../ui/Traceback";
import styles from "./Logs.module.css";
import { copyOf, seen, summaryOf } from "./words";

interface LogRowProps {
  entry: LogEntry;
  open: boolean;
  toggle: () => void;
  /** Whether it is the line that the address names. */
  named: boolean;
  /** The address of this line. */
  href: string;
}

/** One line; opened, all of it, with the traceback below. */
export function LogRow({ entry, open, toggle, named, href }: LogRowProps) {
  const printed = isPrinted(entry);
  const meaning = printed ? printWords(entry) : entry.level;
  return (
    <div
      className={styles.line}
      data-level={entry.level}
      data-named={named}
      aria-current={named ? "true" : undefined}
      data-testid="log-line"
      data-seq={entry.seq}
    >
      <Link
        className={styles.time ?? ""}
        href={href}
        replace
        title={`${exactTime(entry.time)}: the address of this line`}
      >
        {clock(entry.time)}
      </Link>
      <span className={styles.level} title={meaning}>
        <StateMark mark={printed ? PRINT_MARK : LEVEL_MARKS[entry.level]} />
        <span className="hidden-visually">{meaning}</span>
      </span>
      <span className={styles.source}>
        {entry.source === "server" ? (
          <span className="mono dim">server</span>
        ) : (
          <ClientName id={entry.source} />
        )}
      </span>
      <button type="button" className={styles.text} aria-expanded={open} onClick={toggle}>
        {summaryOf(entry)}
      </button>
      {open && <Whole entry={entry} />}
    </div>
  );
}

function Whole({ entry }: { entry: LogEntry }) {
  return (
    <div className={styles.whole} data-testid="log-whole">
      <p className={styles.about}>
        <span className="mono">{seen(entry.logger)}</span>
        {entry.run_id !== null && (
          <>
            {" · run "}
            <Link className={styles.link ?? ""} href={`/runs/${encodeURIComponent(entry.run_id)}/events`}>
              {entry.run_id}
            </Link>
          </>
        )}
        {` · ${exactTime(entry.time)}`}
        <CopyButton value={copyOf(entry)}>
          {({ copied, copy }) => (
            <Button className={styles.copy ?? ""} size="compact-xs" variant="default" onClick={copy}>
              {copied ? "copied" : "copy"}
            </Button>
          )}
        </CopyButton>
      </p>
      <pre className={styles.message} tabIndex={0} aria-label="message">
        {seen(entry.message)}
      </pre>
      {entry.traceback !== null && <Traceback text={seen(entry.traceback)} />}
    </div>
  );
}

/** Stands where a line is being loaded. */
export function LoadingRow() {
  return (
    <div className={styles.line} data-testid="log-loading">
      <span className="hidden-visually">loading this line</span>
    </div>
  );
}
