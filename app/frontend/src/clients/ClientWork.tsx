import type { Client } from "../api/types";
import { count, NO_DATA } from "../format/format";
import { StateMark } from "../ui/StateMark";
import { Value } from "../ui/Value";
import styles from "./ClientTable.module.css";
import { NOTE_MARKS } from "./marks";
import type { Note } from "./results";

interface ClientWorkProps {
  client: Client;
  note: Note | null;
  /** The run that it works on is paused. */
  paused: boolean;
}

/** What it does now, or what went wrong with what it did last. */
export function ClientWork({ client, note, paused }: ClientWorkProps) {
  const working = client.state === "training" || client.state === "evaluating";
  if (client.progress !== null) return <Batches client={client} progress={client.progress} paused={paused} />;
  if (working && client.app === null)
    return <Batches client={client} progress={NOTHING_DONE} paused={paused} />;
  if (working) return <Value text={roundOf(client)} why="the round is not known yet" />;
  if (note !== null) return <WentWrong note={note} />;
  return <Value text={NO_DATA} why={`${client.state}: no task at the moment`} />;
}

function WentWrong({ note: { kind, round, why } }: { note: Note }) {
  return (
    <>
      <span className={styles.note} title={why} data-testid="client-note" data-kind={kind}>
        <StateMark mark={NOTE_MARKS[kind]} />
        {kind}
      </span>
      <span className={styles.under}>in round {count(round)}</span>
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
  return (
    <>
      <div
        className={styles.bar}
        role="progressbar"
        aria-label={client.state}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
        title={`${client.round === null ? "" : `${roundOf(client)}, `}batch ${count(done)} of ${count(total)}`}
      >
        <div style={{ transform: `scaleX(${total > 0 ? Math.min(1, done / total) : 0})` }} />
      </div>
      <span className={styles.under} title={paused ? undefined : "examples per second"}>
        {paused ? (
          "paused"
        ) : (
          <>
            <Value text={count(examples_per_s)} why="no batch of this task is done yet" /> ex/s
          </>
        )}
      </span>
    </>
  );
}

function roundOf({ round }: Client): string {
  return round === null ? NO_DATA : `round ${count(round)}`;
}
