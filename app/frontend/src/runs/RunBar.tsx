import { Button, CloseButton } from "@mantine/core";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { CopyReport } from "../events/CopyReport";
import { useMay } from "../login/who";
import { followedPath } from "../page/nav";
import { activeRun, followedRun, shownRun, useStore } from "../store/store";
import { Traceback } from "../ui/Traceback";
import { Holdups } from "./Holdups";
import { opensByItself } from "./run-words";
import styles from "./RunBar.module.css";
import { RunCommands } from "./RunCommands";
import { RunLine } from "./RunLine";
import { Elapsed, NoRun, NoRunLine, RunStateLine } from "./RunState";

export function RunBar() {
  const run = useStore(shownRun);
  const active = useStore(activeRun);
  const followed = useStore(followedRun);
  const [path] = useLocation();
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
        {run !== null && (
          <Holdups
            key={`holdups ${run.id}`}
            run={run}
            refused={(reason) => setRefusal(reason === null ? null : { of: subject, reason })}
          />
        )}
        <span className={styles.space} />
        {run !== null && <Elapsed run={run} />}
        {run !== null && followed !== null && run.id !== followed.id && (
          <Button
            component={Link}
            href={followedPath(path)}
            variant="default"
            size="compact-md"
            data-testid="follow-active"
          >
            Show run {followed.id}
          </Button>
        )}
        {run !== null && mayRun && (
          <RunCommands
            key={run.id}
            run={run}
            refused={(reason) => setRefusal(reason === null ? null : { of: subject, reason })}
          />
        )}
        {mayRun && (
          <Button
            component={Link}
            href="/new"
            variant={queues ? "default" : "filled"}
            size="compact-md"
            title={queues ? `Run ${active.id} is ${active.state}: a new run waits in the queue` : undefined}
            data-testid="new-run"
          >
            <span>New run {queues && <span className={styles.queues}>(queues)</span>}</span>
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
      {traceback && (
        <Traceback
          text={run.error ?? ""}
          actions={<CopyReport runId={run.id} source="server" traceback={run.error ?? ""} />}
        />
      )}
    </section>
  );
}
