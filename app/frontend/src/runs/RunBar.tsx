import { Button, CloseButton } from "@mantine/core";
import { useState } from "react";
import { isOver, type Run } from "../api/types";
import { percent } from "../format/format";
import { useMay } from "../login/who";
import { activeRun, runChosen, shownRounds, shownRun, useStore } from "../store/store";
import { useStrategyTitles } from "../strategies/useStrategies";
import { Traceback } from "../ui/Traceback";
import { privacyExplained, privacyWords } from "./privacy-words";
import { roundShown } from "./round-progress";
import { appLabels, clippedShare } from "./round-words";
import { RoundProgress } from "./RoundProgress";
import { opensByItself, roundsDone } from "./run-words";
import styles from "./RunBar.module.css";
import { RunCommands } from "./RunCommands";
import { Elapsed, NoRun, NoRunLine, RunStateLine } from "./RunState";
import { settingsLines, specWords } from "./spec-words";

const CLIPPED =
  "share of the newest sum's values that were beyond the range of the secure aggregation; where it is large, a wider range learns better";

export function RunBar({ onNewRun }: { onNewRun: () => void }) {
  const run = useStore(shownRun);
  const active = useStore(activeRun);
  const loaded = useStore((state) => state.server.instance !== null);
  /** Where the reader opened or closed the traceback: by run. */
  const [tracebacks, setTracebacks] = useState<Readonly<Record<string, boolean>>>({});
  const [refusal, setRefusal] = useState<{ of: string; reason: string } | null>(null);
  const queues = active !== null;
  const mayRun = useMay("operator");
  const traceback = run?.error != null && (tracebacks[run.id] ?? opensByItself(run));
  const subject = run === null ? "" : `${run.id} ${run.state}`;
  return (
    <section className={styles.bar} aria-label="run" data-testid="run-bar">
      <div className={styles.first}>
        {run === null ? <NoRun loaded={loaded} /> : <RunStateLine run={run} />}
        {run?.error != null && (
          <Button
            variant="subtle"
            size="compact-sm"
            aria-expanded={traceback}
            onClick={() => setTracebacks({ ...tracebacks, [run.id]: !traceback })}
            data-testid="traceback-toggle"
          >
            {traceback ? "Hide traceback" : "Show traceback"}
          </Button>
        )}
        <span className={styles.space} />
        {run !== null && <Elapsed run={run} />}
        {run !== null && active !== null && run.id !== active.id && (
          <Button
            variant="default"
            size="compact-md"
            onClick={() => runChosen(null)}
            data-testid="follow-active"
          >
            Show run {active.id}
          </Button>
        )}
        {run !== null && mayRun && !isOver(run.state) && (
          <RunCommands
            key={run.id}
            run={run}
            refused={(reason) => setRefusal(reason === null ? null : { of: subject, reason })}
          />
        )}
        {mayRun && (
          <Button
            variant={queues ? "default" : "filled"}
            size="compact-md"
            onClick={onNewRun}
            title={queues ? `Run ${active.id} is ${active.state}: a new run waits in the queue` : undefined}
            data-testid="new-run"
          >
            {queues ? "New run (queues)" : "New run"}
          </Button>
        )}
      </div>
      {run === null ? <NoRunLine loaded={loaded} /> : <RunLine run={run} />}
      {refusal !== null && refusal.of === subject && (
        <p className={styles.refusal} role="alert" data-testid="refusal">
          <span>{refusal.reason}</span>
          <CloseButton size="sm" aria-label="Dismiss" onClick={() => setRefusal(null)} />
        </p>
      )}
      {traceback && <Traceback text={run.error ?? ""} />}
    </section>
  );
}

function RunLine({ run }: { run: Run }) {
  const rounds = useStore(shownRounds);
  const titleOf = useStrategyTitles();
  const done = roundsDone(run, rounds);
  const clipped = clippedShare(rounds);
  return (
    <div className={styles.second}>
      <p className="dim ellipsis" title={settingsLines(run, titleOf).join("\n")}>
        run{" "}
        <span className="mono" data-testid="run-id">
          {run.id}
        </span>{" "}
        · {specWords(run.spec, titleOf)}
        {clipped !== null && (
          <span title={CLIPPED} data-testid="run-clipped">
            {" "}
            · {percent(clipped)} clipped
          </span>
        )}
      </p>
      {run.privacy !== null && (
        <p className={styles.privacy} title={privacyExplained(run.privacy)} data-testid="run-privacy">
          {privacyWords(run.privacy)}
        </p>
      )}
      <RoundProgress run={run} done={done} label={appLabels(rounds).get(roundShown(run, done))} />
    </div>
  );
}
