import type { Client } from "../api/types";
import { loss } from "../format/format";
import type { Kept } from "../runs/privacy-words";
import type { AppLabels } from "../runs/round-words";
import { Explained } from "../ui/Explained";
import { Value } from "../ui/Value";
import { Accuracy, DataCell, DeviceCell, More, NOT_EVALUATED } from "./ClientCells";
import { ClientFrame } from "./ClientFrame";
import { ClientLink } from "./ClientLink";
import styles from "./ClientTable.module.css";
import { ClientWork } from "./ClientWork";
import { PinButton } from "./PinButton";
import { type LatestResult, moreWords, noteOf } from "./results";
import type { ClientRole } from "./roles";
import { RoleState } from "./RoleState";
import { SpentCell } from "./SpentCell";
import type { Spent } from "./spent";

const NOT_YET_TRAINED = "known after its first training in a run";

export interface ClientRowProps {
  client: Client;
  /** In the round that goes on. */
  role: ClientRole;
  /** The run that the table is about. */
  runId: string | null;
  /** Seconds that its update in the round that goes on took; null: there is none. */
  delivered: number | null;
  /** Its part in the newest round in which it had one. */
  latest: LatestResult | undefined;
  /** What it has spent of its data's privacy. */
  spent: Spent | undefined;
  /** Names of its labels, where they are known. */
  classes: readonly string[];
  /** The app's own numbers of the run's rounds. */
  labels: AppLabels;
  /** Why the run's clients do not tell their own numbers; null: they do. */
  kept: Kept | null;
  /** They spend of their privacy. */
  spends: boolean;
  paused: boolean;
  open: boolean;
  toggle: () => void;
}

export function ClientRow(props: ClientRowProps) {
  const { client, role, delivered, latest, spent, classes, labels, kept, spends, paused, open, toggle } =
    props;
  const note = noteOf(latest, client.state);
  const more = moreWords(latest, note, client.verdict !== null);
  const standsAside = client.reason !== null && client.progress === null;
  return (
    <ClientFrame row={props} className={styles.row} more={more} columns={spends ? 7 : 6}>
      <div role="cell" className={styles.cell}>
        <span className={styles.first}>
          <ClientLink id={client.id} />
          <PinButton id={client.id} />
        </span>
        <RoleState client={client} role={role} delivered={delivered} />
      </div>
      {standsAside ? (
        // Why it takes no part; in place of its work and data, since it has neither in this run.
        <div role="cell" aria-colspan={2} className={styles.aside} data-testid="client-reason">
          <Explained why={client.reason ?? ""} look="wide">
            <span className={styles.reason}>{client.reason}</span>
          </Explained>
        </div>
      ) : (
        <>
          <div role="cell" className={styles.cell}>
            <ClientWork client={client} note={note} delivered={delivered} labels={labels} paused={paused} />
          </div>
          <DataCell client={client} classes={classes} kept={kept} />
        </>
      )}
      <div role="cell" className={styles.cell} data-label="accuracy">
        <span className={styles.number} data-testid="client-accuracy">
          <Accuracy client={client} latest={latest} kept={kept} />
        </span>
        <span className={styles.under}>
          <More more={more} open={open} toggle={toggle} />
        </span>
      </div>
      <div role="cell" className={styles.cell} data-label="loss">
        <span className={styles.number}>
          <Value text={loss(client.loss)} why={kept?.own ?? NOT_EVALUATED} />
        </span>
        <span className={styles.under}>
          train{" "}
          <Value
            text={loss(client.train_loss)}
            why={kept?.own ?? NOT_YET_TRAINED}
            about="loss on its own data while training"
          />
        </span>
      </div>
      {spends && <SpentCell spent={spent} />}
      <DeviceCell client={client} />
    </ClientFrame>
  );
}
