import type { Client } from "../api/types";
import { count, loss, percent } from "../format/format";
import { ClientName } from "./ClientName";
import styles from "./ClientTable.module.css";
import { CLIENT_MARKS, StateMark } from "./StateMark";
import { Ago, Value } from "./Value";

const NOT_YET = "known after its first evaluation in a run";

export function ClientRow({ client }: { client: Client }) {
  return (
    <div className={styles.row} role="row" data-testid="client-row" data-client={client.id} data-state={client.state}>
      <div role="cell" className={styles.cell}>
        <ClientName id={client.id} />
        <span className={styles.state} data-testid="client-state">
          <StateMark mark={CLIENT_MARKS[client.state]} />
          {client.state}
        </span>
      </div>
      {client.reason === null ? <WorkAndData client={client} /> : <Reason text={client.reason} />}
      <div role="cell" className={styles.cell} data-label="accuracy">
        <span className={styles.number} data-testid="client-accuracy">
          <Value text={percent(client.accuracy)} why={NOT_YET} />
        </span>
        <span className={styles.under} />
      </div>
      <div role="cell" className={styles.cell} data-label="loss">
        <span className={styles.number}>
          <Value text={loss(client.loss)} why={NOT_YET} />
        </span>
        <span className={styles.under} title="loss on its own data while training">
          train <Value text={loss(client.train_loss)} why="known after its first training in a run" />
        </span>
      </div>
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
    </div>
  );
}

/** Why it takes no part; stands in place of its work and data, since it has neither in this run. */
function Reason({ text }: { text: string }) {
  return (
    <div role="cell" aria-colspan={2} className={styles.reason} title={text} data-testid="client-reason">
      {text}
    </div>
  );
}

function WorkAndData({ client }: { client: Client }) {
  return (
    <>
      <div role="cell" className={styles.cell}>
        <Work client={client} />
      </div>
      <div role="cell" className={styles.cell} data-label="data">
        <span className={styles.number} title={`training samples of ${client.dataset}`}>
          <Value text={count(client.samples)} why="samples are known once it takes part in a run" />
        </span>
        <span className={styles.under} title="its part of the data set, counted from 0">
          {client.partition === null || client.num_partitions === null
            ? client.dataset
            : `part ${client.partition} of ${client.num_partitions}`}
        </span>
      </div>
    </>
  );
}

function Work({ client }: { client: Client }) {
  const { progress, round } = client;
  const working = client.state === "training" || client.state === "evaluating";
  if (progress === null && !working) return <Value text="–" why={`${client.state}: no task at the moment`} />;
  const { done, total } = progress ?? { done: 0, total: 0 };
  return (
    <>
      <div
        className={styles.bar}
        role="progressbar"
        aria-label={client.state}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
        title={`${round === null ? "" : `round ${count(round)}, `}batch ${count(done)} of ${count(total)}`}
      >
        <div style={{ transform: `scaleX(${total > 0 ? Math.min(1, done / total) : 0})` }} />
      </div>
      <span className={styles.under}>
        <Value text={count(progress?.examples_per_s)} why="no batch of this task is done yet" /> examples/s
      </span>
    </>
  );
}
