import { auditUrl } from "../api/requests";
import type { AuditStatus } from "../api/types";
import { count, plural } from "../format/format";
import { useStore } from "../store/store";
import { CopyCommand } from "../ui/CopyCommand";
import { Explained } from "../ui/Explained";
import { StateMark } from "../ui/StateMark";
import { Ago } from "../ui/Value";
import { Budgets } from "./Budgets";
import { EntryList } from "./EntryList";
import { People } from "./People";
import { Refusals } from "./Refusals";
import { Replies } from "./Replies";
import { Verify } from "./Verify";
import list from "../ui/List.module.css";
import styles from "./Trust.module.css";
import { shortRoot, unwitnessed, unwitnessedWords, witnessWords } from "./words";

/** So many witnesses are named: whether there is one for all of it stands above. */
const MOST_NAMED = 12;

/** The audit log: what it has come to, who has witnessed it, and how anyone checks it. */
export default function Trust() {
  const audit = useStore((state) => state.server.audit);
  if (audit === null)
    return <p className={list.empty}>The audit log is shown here once the server answers.</p>;
  return (
    <>
      <section className={styles.about} tabIndex={0} aria-label="what vouches for the log">
        <Summary audit={audit} />
        <Budgets />
        <Replies />
        <Refusals />
        <Taking size={audit.size} />
        <People />
      </section>
      <div className={styles.entries}>
        <EntryList size={audit.size} />
      </div>
    </>
  );
}

function Summary({ audit }: { audit: AuditStatus }) {
  const left = unwitnessed(audit);
  return (
    <div data-testid="audit-summary">
      {audit.root !== null && audit.time !== null && (
        <p>
          checkpoint over <span className="mono">{count(audit.size)}</span> entries, root{" "}
          <Explained
            why={`${audit.root}, the root of log ${audit.log}, signed by the server with the key ${audit.key}`}
          >
            <span className="mono">{shortRoot(audit.root)}</span>
          </Explained>
          , <Ago time={audit.time} />
        </p>
      )}
      <p className={styles.witnessed} role="status">
        <StateMark mark={left === 0 && audit.size > 0 ? ["check", "good"] : ["half", "quiet"]} />
        {unwitnessedWords(audit)}
      </p>
      {audit.witnesses.length > 0 && (
        <ul className={styles.witnesses} aria-label="witnesses">
          {audit.witnesses.slice(0, MOST_NAMED).map(({ client, key, size }) => (
            <li key={key}>
              <Explained why={`${client} has the key ${key}`}>{client}</Explained>{" "}
              <span className="dim">{witnessWords(size, audit.size)}</span>
            </li>
          ))}
          {audit.witnesses.length > MOST_NAMED && (
            <li className="dim">and {plural(audit.witnesses.length - MOST_NAMED, "other client")}</li>
          )}
        </ul>
      )}
    </div>
  );
}

/** What can be taken away, and the command that checks it. */
function Taking({ size }: { size: number }) {
  return (
    <div className={styles.take}>
      <a
        href={auditUrl()}
        download
        title="the whole log with all signatures, as lines of JSON"
        data-testid="audit-export"
      >
        Download the log
      </a>
      <Verify size={size} />
      <div className={list.command}>
        <CopyCommand command="python -m app.audit verify FILE" testId="audit-verify" />
      </div>
    </div>
  );
}
