import { useState } from "react";
import type { Client } from "../api/types";
import { ClientDialog } from "../enrolment/ClientDialog";
import { loss, percent, plural } from "../format/format";
import type { AppLabels } from "../runs/round-words";
import { StateMark } from "../ui/StateMark";
import { Late, Value } from "../ui/Value";
import { DataCell, DeviceCell } from "./ClientCells";
import { ClientDetails } from "./ClientDetails";
import { ClientName } from "./ClientName";
import styles from "./ClientTable.module.css";
import { ClientWork } from "./ClientWork";
import { CLIENT_MARKS, SENT_AWAY } from "./marks";
import { countNumbers, type LatestResult, type Note, NOT_TOLD, noteOf } from "./results";
import { SpentCell } from "./SpentCell";
import type { Spent } from "./spent";
import { VerdictMark } from "./VerdictMark";
import { countsTitle } from "./verdicts";

const NOT_YET = "known after its first evaluation in a run";
const NOT_YET_TRAINED = "known after its first training in a run";

interface ClientRowProps {
  client: Client;
  /** The run that the table is about. */
  runId: string | null;
  /** Its part in the newest round in which it had one. */
  latest: LatestResult | undefined;
  /** What it has spent of its data's privacy. */
  spent: Spent | undefined;
  /** Names of its labels, where they are known. */
  classes: readonly string[];
  /** The app's own numbers of the run's rounds. */
  labels: AppLabels;
  /** The run's clients do not tell their loss and accuracy. */
  keepsNumbers: boolean;
  /** They spend of their privacy. */
  spends: boolean;
  paused: boolean;
  open: boolean;
  toggle: () => void;
}

export function ClientRow(props: ClientRowProps) {
  const { client, runId, latest, spent, classes, labels, keepsNumbers, spends, paused, open, toggle } = props;
  const note = noteOf(latest, client.state);
  const more = moreWords(client, latest, note);
  const [shown, setShown] = useState(false);
  const admitted = client.membership === "admitted";
  const standsAside = client.reason !== null && client.progress === null;
  return (
    <>
      <div
        className={styles.row}
        role="row"
        data-testid="client-row"
        data-client={client.id}
        data-state={client.state}
        data-private={spends}
      >
        <div role="cell" className={styles.cell}>
          <button
            type="button"
            className={styles.open}
            onClick={() => setShown(true)}
            aria-haspopup="dialog"
            data-testid="client-open"
          >
            <ClientName id={client.id} />
          </button>
          <span className={styles.state} data-testid="client-state" title={client.reason ?? undefined}>
            <StateMark mark={admitted ? CLIENT_MARKS[client.state] : SENT_AWAY} />
            <span>
              {admitted ? client.state : client.membership}
              {client.state === "late" && client.late_since !== null && <Late since={client.late_since} />}
            </span>
            {client.verdict !== null && <VerdictMark verdict={client.verdict} title={countsTitle(client)} />}
          </span>
        </div>
        {standsAside ? (
          // Why it takes no part; in place of its work and data, since it has neither in this run.
          <div
            role="cell"
            aria-colspan={2}
            className={styles.reason}
            title={client.reason ?? undefined}
            data-testid="client-reason"
          >
            {client.reason}
          </div>
        ) : (
          <>
            <div role="cell" className={styles.cell}>
              <ClientWork client={client} note={note} labels={labels} paused={paused} />
            </div>
            <DataCell client={client} classes={classes} />
          </>
        )}
        <div role="cell" className={styles.cell} data-label="accuracy">
          <span className={styles.number} data-testid="client-accuracy">
            <Value text={percent(client.accuracy)} why={keepsNumbers ? NOT_TOLD : NOT_YET} />
          </span>
          <span className={styles.under}>
            {more !== null && (
              <button
                type="button"
                className={styles.toggle}
                aria-expanded={open}
                onClick={toggle}
                data-testid="client-more"
              >
                {open ? "hide" : more}
              </button>
            )}
          </span>
        </div>
        <div role="cell" className={styles.cell} data-label="loss">
          <span className={styles.number}>
            <Value text={loss(client.loss)} why={keepsNumbers ? NOT_TOLD : NOT_YET} />
          </span>
          <span className={styles.under} title="loss on its own data while training">
            train <Value text={loss(client.train_loss)} why={keepsNumbers ? NOT_TOLD : NOT_YET_TRAINED} />
          </span>
        </div>
        {spends && <SpentCell spent={spent} />}
        <DeviceCell client={client} />
      </div>
      {shown && <ClientDialog client={client} close={() => setShown(false)} />}
      {open && more !== null && latest !== undefined && runId !== null && (
        <ClientDetails
          client={client}
          runId={runId}
          latest={latest}
          labels={labels}
          columns={spends ? 7 : 6}
        />
      )}
    </>
  );
}

/** What the row leaves out, or null: "3 metrics", "error", "verdicts". */
function moreWords(client: Client, latest: LatestResult | undefined, note: Note | null): string | null {
  if (latest === undefined) return null;
  if (note?.kind === "failed") return "error";
  if (note?.kind === "declined") return "why";
  const metrics = countNumbers(latest.result);
  if (metrics > 0) return plural(metrics, "metric");
  return client.verdict === null ? null : "verdicts";
}
