import { count, loss } from "../format/format";
import { Value } from "../ui/Value";
import { Accuracy, More, NOT_EVALUATED } from "./ClientCells";
import { ClientFrame } from "./ClientFrame";
import { ClientLink } from "./ClientLink";
import type { ClientRowProps } from "./ClientRow";
import styles from "./ClientLine.module.css";
import { PinButton } from "./PinButton";
import { RoleState } from "./RoleState";
import { moreWords, noteOf } from "./results";

/** What a row says of a client, in one line: for many clients. */
export function ClientLine(props: ClientRowProps) {
  const { client, role, latest, delivered, kept, open, toggle } = props;
  const more = moreWords(latest, noteOf(latest, client.state), client.verdict !== null);
  return (
    <ClientFrame row={props} className={styles.line} more={more} columns={6}>
      <div role="cell" className={styles.cell}>
        <ClientLink id={client.id} />
        <PinButton id={client.id} />
      </div>
      <div role="cell" className={styles.cell}>
        <RoleState client={client} role={role} delivered={delivered} bar />
      </div>
      <div role="cell" className={styles.number}>
        <Value
          text={count(client.samples)}
          why={kept?.samples ?? "samples are known once it takes part in a run"}
        />
      </div>
      <div role="cell" className={styles.number} data-testid="client-accuracy">
        <Accuracy client={client} latest={latest} kept={kept} />
      </div>
      <div role="cell" className={styles.number}>
        <Value text={loss(client.loss)} why={kept?.own ?? NOT_EVALUATED} />
      </div>
      <div role="cell" className={styles.more}>
        <More more={more} open={open} toggle={toggle} />
      </div>
    </ClientFrame>
  );
}

/** The heads of its columns. */
export function LineHead() {
  return (
    <div className={`${styles.line} ${styles.head}`} role="row">
      {["client", "role", "samples", "accuracy", "loss", "more"].map((column) => (
        <span key={column} role="columnheader" data-column={column}>
          {column === "more" ? <span className="hidden-visually">more</span> : column}
        </span>
      ))}
    </div>
  );
}
