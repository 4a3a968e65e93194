import { useInterval } from "@mantine/hooks";
import { useState } from "react";
import type { Run } from "../api/types";
import { duration, exactTime } from "../format/format";
import { browserTime, isStale, shownRounds, useStore } from "../store/store";
import { StateMark } from "../ui/StateMark";
import { Clock, Value } from "../ui/Value";
import { RUN_MARKS } from "./marks";
import { noRunWords, situation, stateWord } from "./run-words";
import styles from "./RunBar.module.css";

export function NoRun({ loaded }: { loaded: boolean }) {
  return (
    <p className={styles.state} data-testid="run-state" data-state="none">
      <span className={styles.word}>{loaded ? "no run yet" : "loading"}</span>
    </p>
  );
}

export function NoRunLine({ loaded }: { loaded: boolean }) {
  const clients = useStore(
    (state) => state.server.clients.filter((client) => client.state !== "lost").length,
  );
  return <p className={`${styles.second} dim`}>{noRunWords(loaded, clients)}</p>;
}

/** The state in a word, and beside it how far it is and why it stands. */
export function RunStateLine({ run }: { run: Run }) {
  const mean = useStore(
    (state) => shownRounds(state).findLast(({ complete }) => complete)?.client_accuracy ?? null,
  );
  const rounds = useStore(shownRounds);
  const words = useStore(({ server: { clients }, now }) => situation(run, { clients, rounds, now, mean }));
  const staleSince = useStore((state) => (isStale(state) ? state.connection.since : null));
  const word = stateWord(run);
  return (
    <>
      <p className={styles.state} data-testid="run-state" data-state={run.state} data-run={run.id}>
        {staleSince !== null && (
          <span className={styles.stale} data-testid="stale">
            as of <Clock time={staleSince} />, <Age since={staleSince} /> old:
          </span>
        )}
        <StateMark mark={RUN_MARKS[run.state]} {...(word === null ? { label: run.state } : {})} />
        {word !== null && <span className={styles.word}>{word}</span>}
        <span className={styles.situation} title={words} data-testid="run-situation">
          {words}
        </span>
      </p>
      <span className="hidden-visually" role="status">
        {[word === null ? `Run ${run.id}` : `Run ${run.id} ${word}`, run.reason].filter(Boolean).join(": ")}
      </span>
    </>
  );
}

/** Counted by the browser's clock: the server's stands still while nobody hears of it. */
function Age({ since }: { since: number }) {
  const [now, setNow] = useState(browserTime);
  useInterval(() => setNow(browserTime()), 1000, { autoInvoke: true });
  return <span className="mono">{duration(now - since)}</span>;
}

export function Elapsed({ run }: { run: Run }) {
  const seconds = useStore(({ now }) =>
    run.started_at === null ? null : (run.finished_at ?? now) - run.started_at,
  );
  return (
    <p className={styles.elapsed}>
      <span className="dim small">elapsed</span>{" "}
      <span className="mono" data-testid="elapsed">
        <Value
          text={duration(seconds)}
          why="the run has not started"
          about={run.started_at === null ? undefined : `started ${exactTime(run.started_at)}`}
        />
      </span>
    </p>
  );
}
