import { auditUrl } from "../api/requests";
import type { AuditStatus } from "../api/types";
import { count } from "../format/format";
import { useStore } from "../store/store";
import { CopyCommand } from "../ui/CopyCommand";
import { StateMark } from "../ui/StateMark";
import { Ago } from "../ui/Value";
import { Budgets } from "./Budgets";
import { EntryList } from "./EntryList";
import list from "../ui/List.module.css";
import styles from "./Trust.module.css";
import { shortRoot, unwitnessed, unwitnessedWords, witnessWords } from "./words";

/** The audit log: what it has come to, who has witnessed it, and how anyone checks it. */
export default function Trust() {
  const audit = useStore((state) => state.server.audit);
  if (audit === null)
    return <p className={list.empty}>The audit log is shown here once the server answers.</p>;
  return (
    <>
      <Budgets />
      <Summary audit={audit} />
      <div className={list.take}>
        <a
          href={auditUrl()}
          download
          title="the whole log with all signatures, as lines of JSON"
          data-testid="audit-export"
        >
          Download the log
        </a>
        <div className={list.command}>
          <CopyCommand command="python -m app.audit verify FILE" testId="audit-verify" />
        </div>
      </div>
      <EntryList size={audit.size} />
    </>
  );
}

function Summary({ audit }: { audit: AuditStatus }) {
  const left = unwitnessed(audit);
  return (
    <div className={styles.summary} data-testid="audit-summary">
      {audit.root !== null && audit.time !== null && (
        <p title={`log ${audit.log}, signed by the server with the key ${audit.key}`}>
          checkpoint over <span className="mono">{count(audit.size)}</span> entries, root{" "}
          <span className="mono" title={audit.root}>
            {shortRoot(audit.root)}
          </span>
          , <Ago time={audit.time} />
        </p>
      )}
      <p className={styles.witnessed} role="status">
        <StateMark mark={left === 0 && audit.size > 0 ? ["check", "good"] : ["half", "quiet"]} />
        {unwitnessedWords(audit)}
      </p>
      {audit.witnesses.length > 0 && (
        <ul className={styles.witnesses} aria-label="witnesses">
          {audit.witnesses.map(({ client, key, size }) => (
            <li key={key} title={`${client} has the key ${key}`}>
              {client} <span className="dim">{witnessWords(size, audit.size)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
