import type { Client } from "../api/types";
import { count, percent } from "../format/format";
import type { Kept } from "../runs/privacy-words";
import { Ago, Value } from "../ui/Value";
import styles from "./ClientTable.module.css";
import { FewSamples } from "./FewSamples";
import { LabelStrip } from "./LabelStrip";
import type { LatestResult } from "./results";

/** Why there is no number of its own evaluation. */
export const NOT_EVALUATED = "known after its first evaluation in a run";

interface AccuracyProps {
  client: Client;
  latest: LatestResult | undefined;
  /** Why the run's clients do not tell it; null: they do. */
  kept: Kept | null;
}

/** What its newest evaluation on its own data has come to, with a mark where that was of few samples. */
export function Accuracy({ client, latest, kept }: AccuracyProps) {
  return (
    <>
      <FewSamples result={latest?.result} accuracy={client.accuracy} />
      <Value text={percent(client.accuracy)} why={kept?.own ?? NOT_EVALUATED} />
    </>
  );
}

interface MoreProps {
  /** What there is more to tell; null: nothing. */
  more: string | null;
  open: boolean;
  toggle: () => void;
}

/** Opens what a row leaves out. */
export function More({ more, open, toggle }: MoreProps) {
  if (more === null) return null;
  return (
    <button
      type="button"
      className={styles.toggle}
      aria-expanded={open}
      onClick={toggle}
      data-testid="client-more"
    >
      {open ? "hide" : more}
    </button>
  );
}

interface DataCellProps {
  client: Client;
  classes: readonly string[];
  /** Why the run's clients do not tell it; null: they do. */
  kept: Kept | null;
}

/** How much data a client has, and of which labels. */
export function DataCell({ client, classes, kept }: DataCellProps) {
  const part =
    client.partition === null || client.num_partitions === null
      ? ""
      : `, part ${client.partition} of ${client.num_partitions}, counted from 0`;
  return (
    <div role="cell" className={styles.cell} data-label="data">
      <span className={styles.number}>
        <Value
          text={count(client.samples)}
          about={
            client.app === null
              ? `training samples of ${client.dataset}${part}`
              : `examples, as ${client.app} counts them`
          }
          why={
            client.app === null
              ? (kept?.samples ?? "samples are known once it takes part in a run")
              : "the app has not named a number of examples"
          }
        />
      </span>
      <span className={styles.under}>
        {client.app === null && (
          <LabelStrip counts={client.label_counts} classes={classes} kept={kept?.own ?? null} />
        )}
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
