import type { Client } from "../api/types";
import { count, NO_DATA, took } from "../format/format";
import { type AppLabels, labelWords, roundTitle } from "../runs/round-words";
import { Explained } from "../ui/Explained";
import { StateMark } from "../ui/StateMark";
import { Value } from "../ui/Value";
import styles from "./ClientTable.module.css";
import { NOTE_MARKS } from "./marks";
import type { Note } from "./results";

interface ClientWorkProps {
  client: Client;
  note: Note | null;
  /** Seconds that its update in the current round took; null: it has not delivered one. */
  delivered: number | null;
  labels: AppLabels;
  /** The run that it works on is paused. */
  paused: boolean;
}

/** What it does now, or what went wrong with what it did last. */
export function ClientWork({ client, note, delivered, labels, paused }: ClientWorkProps) {
  const working = client.state === "training" || client.state === "evaluating";
  if (client.progress !== null || (working && client.app === null)) {
    return <Batches client={client} progress={client.progress ?? NOTHING_DONE} paused={paused} />;
  }
  if (working) return <WorksOn round={client.round} labels={labels} />;
  if (client.state === "idle" && delivered !== null) {
    return <span data-testid="client-delivered">in {took(delivered)}</span>;
  }
  if (note !== null) return <WentWrong note={note} labels={labels} />;
  return <Value text={NO_DATA} why={`${client.state}: no task at the moment`} />;
}

/** Which round, since how far it is in it only the app knows. */
function WorksOn({ round, labels }: { round: number | null; labels: AppLabels }) {
  if (round === null) return <Value text={NO_DATA} why="the round is not known yet" />;
  return (
    <>
      <span>round {count(round)}</span>
      <span className={styles.under}>{labelWords(labels.get(round))}</span>
    </>
  );
}

function WentWrong({ note: { kind, round, why }, labels }: { note: Note; labels: AppLabels }) {
  return (
    <>
      <span className={styles.note} data-testid="client-note" data-kind={kind}>
        <StateMark mark={NOTE_MARKS[kind]} />
        <Explained why={why}>{kind}</Explained>
      </span>
      <span className={`${styles.under} ellipsis`} title={roundTitle(round, labels)}>
        in {roundTitle(round, labels)}
      </span>
    </>
  );
}

const NOTHING_DONE = { done: 0, total: 0, examples_per_s: null };

interface BatchesProps {
  client: Client;
  progress: { done: number; total: number; examples_per_s: number | null };
  paused: boolean;
}

function Batches({ client, progress: { done, total, examples_per_s }, paused }: BatchesProps) {
  const far = `${client.round === null ? "" : `round ${count(client.round)}, `}batch ${count(done)} of ${count(total)}`;
  return (
    <>
      <div
        className={styles.bar}
        role="progressbar"
        aria-label={client.state}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
      >
        <div style={{ transform: `scaleX(${total > 0 ? Math.min(1, done / total) : 0})` }} />
      </div>
      <span className={styles.under}>
        {paused ? (
          <Explained why={far}>paused</Explained>
        ) : (
          <Value
            text={examples_per_s === null ? NO_DATA : `${count(examples_per_s)} ex/s`}
            why="no batch of this task is done yet"
            about={`examples per second; ${far}`}
          />
        )}
      </span>
    </>
  );
}
