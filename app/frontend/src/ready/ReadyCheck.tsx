import { type ReactNode, useMemo } from "react";
import { useJoinCommand } from "../clients/useJoinCommand";
import { count } from "../format/format";
import { shownRun, useStore } from "../store/store";
import { CopyCommand } from "../ui/CopyCommand";
import { Panel } from "../ui/Panel";
import { type Mark, StateMark } from "../ui/StateMark";
import { Candidates } from "./Candidates";
import { Elsewhere } from "./Elsewhere";
import { LocalClients } from "./LocalClients";
import styles from "./Ready.module.css";
import { StartStep } from "./StartStep";
import { standingOf } from "./ready";

/** In place of curves that there are not yet: what is there, what is missing, and the next step. */
export function ReadyCheck() {
  const run = useStore(shownRun);
  const offered = useStore((state) => state.server.status?.default_spec ?? null);
  const clients = useStore((state) => state.server.clients);
  const join = useJoinCommand();
  const wanted = run?.spec ?? offered;
  const standing = useMemo(
    () => (wanted === null ? null : standingOf(clients, wanted, run)),
    [clients, wanted, run],
  );
  if (wanted === null || standing === null) return null;
  const { candidates, fitting, needed } = standing;
  const missing = Math.max(needed - fitting, 0);
  return (
    <Panel title="ready check" area="ready">
      <ol className={styles.steps} data-testid="ready-check">
        <ServerStep />
        <Step
          mark={missing === 0 ? DONE : OPEN}
          title={`Clients: ${count(fitting)} of ${count(needed)} ${fitting === 1 ? "is" : "are"} there`}
          testId="ready-clients"
        >
          <Candidates candidates={candidates} />
          <LocalClients missing={missing} dataset={wanted.app === null ? wanted.dataset : null} />
          {missing > 0 && join !== undefined && (
            <>
              <p className="dim">In a terminal on this machine, each with an id of its own:</p>
              <CopyCommand command={join} testId="join-command" />
            </>
          )}
          <Elsewhere />
        </Step>
        <Step
          mark={run === null ? OPEN : ["clock", "plain"]}
          title={run === null ? "Start a run" : `Run ${run.id} begins by itself`}
          testId="ready-start"
        >
          <StartStep run={run} wanted={wanted} missing={missing} />
        </Step>
      </ol>
    </Panel>
  );
}

const DONE: Mark = ["check", "good"];
const OPEN: Mark = ["ring", "plain"];

function ServerStep() {
  const reached = useStore((state) => state.connection.state === "connected");
  const status = useStore((state) => state.server.status);
  const problem = status?.store_problem ?? null;
  if (!reached)
    return (
      <Step mark={["cross", "bad"]} title="Server: it does not answer" testId="ready-server">
        <p className="dim">The page asks again by itself.</p>
      </Step>
    );
  if (problem !== null)
    return (
      <Step mark={["triangle", "warn"]} title="Server: it keeps nothing at the moment" testId="ready-server">
        <p className="dim">{problem}</p>
      </Step>
    );
  return (
    <Step mark={DONE} title="Server: it answers" testId="ready-server">
      <p className="dim">FedLoom {status?.version}</p>
    </Step>
  );
}

interface StepProps {
  mark: Mark;
  title: string;
  testId: string;
  children: ReactNode;
}

function Step({ mark, title, testId, children }: StepProps) {
  return (
    <li className={styles.step} data-testid={testId}>
      <StateMark mark={mark} />
      <div className={styles.about}>
        <h3 className={styles.title}>{title}</h3>
        {children}
      </div>
    </li>
  );
}
