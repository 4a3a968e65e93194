import { Button } from "@mantine/core";
import { useState } from "react";
import { isLive, type Run } from "../api/types";
import { duration, exactTime } from "../format/format";
import { activeRun, runChosen, shownRounds, shownRun, useStore } from "../store/store";
import { RoundProgress } from "./RoundProgress";
import styles from "./RunBar.module.css";
import { noRunWords, roundsDone, situation, specWords } from "./run-words";
import { RUN_MARKS, StateMark } from "./StateMark";
import { StopButton } from "./StopButton";
import { Traceback } from "./Traceback";
import { Value } from "./Value";

export function RunBar({ onNewRun }: { onNewRun: () => void }) {
  const run = useStore(shownRun);
  const active = useStore(activeRun);
  const loaded = useStore((state) => state.server.instance !== null);
  const [traceback, setTraceback] = useState<string | null>(null);
  const queues = active !== null;
  return (
    <section className={styles.bar} aria-label="run" data-testid="run-bar">
      <div className={styles.first}>
        {run === null ? <NoRun loaded={loaded} /> : <RunState run={run} />}
        {run?.error != null && (
          <Button
            variant="subtle"
            size="compact-sm"
            aria-expanded={traceback === run.id}
            onClick={() => setTraceback(traceback === run.id ? null : run.id)}
            data-testid="traceback-toggle"
          >
            {traceback === run.id ? "Hide traceback" : "Show traceback"}
          </Button>
        )}
        <span className={styles.space} />
        {run !== null && <Elapsed run={run} />}
        {run !== null && active !== null && run.id !== active.id && (
          <Button variant="default" size="compact-md" onClick={() => runChosen(null)} data-testid="follow-active">
            Show run {active.id}
          </Button>
        )}
        {run !== null && isLive(run.state) && <StopButton key={run.id} run={run} />}
        <Button
          variant={queues ? "default" : "filled"}
          size="compact-md"
          onClick={onNewRun}
          title={queues ? `Run ${active.id} is ${active.state}: a new run waits in the queue` : undefined}
          data-testid="new-run"
        >
          {queues ? "New run (queues)" : "New run"}
        </Button>
      </div>
      {run === null ? <NoRunLine loaded={loaded} /> : <RunLine run={run} />}
      {run?.error != null && traceback === run.id && <Traceback text={run.error} />}
    </section>
  );
}

function NoRun({ loaded }: { loaded: boolean }) {
  return (
    <p className={styles.state} data-testid="run-state" data-state="none">
      <span className={styles.word}>{loaded ? "no run yet" : "loading"}</span>
    </p>
  );
}

function NoRunLine({ loaded }: { loaded: boolean }) {
  const clients = useStore((state) => state.server.clients.filter((client) => client.state !== "lost").length);
  return <p className={`${styles.second} dim`}>{noRunWords(loaded, clients)}</p>;
}

function RunState({ run }: { run: Run }) {
  const words = situation(run);
  return (
    <>
      <p className={styles.state} data-testid="run-state" data-state={run.state} data-run={run.id}>
        <StateMark mark={RUN_MARKS[run.state]} />
        <span className={styles.word}>{run.state}</span>
        <span className={styles.situation} title={words} data-testid="run-situation">
          {words}
        </span>
      </p>
      <span className="hidden-visually" role="status">
        {`Run ${run.id} ${run.state}${run.reason === null ? "" : `: ${run.reason}`}`}
      </span>
    </>
  );
}

function RunLine({ run }: { run: Run }) {
  const rounds = useStore(shownRounds);
  return (
    <div className={styles.second}>
      <p className="dim ellipsis" title={specTitle(run)}>
        run{" "}
        <span className="mono" data-testid="run-id">
          {run.id}
        </span>{" "}
        · {specWords(run.spec)}
      </p>
      <RoundProgress run={run} done={roundsDone(run, rounds)} />
    </div>
  );
}

function specTitle({ spec, created_at }: Run): string {
  const { lr, local_epochs, batch_size, seed, min_clients } = spec;
  return [
    `learning rate ${lr}, local epochs ${local_epochs}, batch size ${batch_size}, seed ${seed}`,
    `at least ${min_clients} clients; created ${exactTime(created_at)}`,
  ].join("\n");
}

function Elapsed({ run }: { run: Run }) {
  const seconds = useStore(({ now }) => (run.started_at === null ? null : (run.finished_at ?? now) - run.started_at));
  return (
    <p className={styles.elapsed} title={run.started_at === null ? undefined : `started ${exactTime(run.started_at)}`}>
      <span className="dim small">elapsed</span>{" "}
      <span className="mono" data-testid="elapsed">
        <Value text={duration(seconds)} why="the run has not started" />
      </span>
    </p>
  );
}
