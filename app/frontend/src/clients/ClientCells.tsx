import type { Client } from "../api/types";
import { count } from "../format/format";
import { Ago, Value } from "../ui/Value";
import styles from "./ClientTable.module.css";
import { LabelStrip } from "./LabelStrip";

/** How much data a client has, and of which labels. */
export function DataCell({ client, classes }: { client: Client; classes: readonly string[] }) {
  const part =
    client.partition === null || client.num_partitions === null
      ? ""
      : `, part ${client.partition} of ${client.num_partitions}, counted from 0`;
  return (
    <div role="cell" className={styles.cell} data-label="data">
      <span
        className={styles.number}
        title={
          client.app === null
            ? `training samples of ${client.dataset}${part}`
            : `examples, as ${client.app} counts them`
        }
      >
        <Value
          text={count(client.samples)}
          why={
            client.app === null
              ? "samples are known once it takes part in a run"
              : "the app has not named a number of examples"
          }
        />
      </span>
      <span className={styles.under}>
        {client.app === null && <LabelStrip counts={client.label_counts} classes={classes} />}
      </span>
    </div>
  );
}

/** What it computes on, and since when it is there. */
export function DeviceCell({ client }: { client: Client }) {
  return (
    <div role="cell" className={styles.cell} data-label="device">
      <span className="ellipsis" title={`${client.device} on ${client.host}`}>
        {client.device} · {client.host}
      </span>
      <span className={styles.under}>
        {client.state === "lost" ? (
          <Ago time={client.last_seen} prefix="seen " />
        ) : (
          <Ago time={client.connected_at} prefix="joined " />
        )}
      </span>
    </div>
  );
}
