import { useMemo } from "react";
import type { Run } from "../api/types";
import { count, percent } from "../format/format";
import { runChosen, shownRun, useStore } from "../store/store";
import { useStrategyTitles } from "../strategies/useStrategies";
import { Panel } from "../ui/Panel";
import { StateMark } from "../ui/StateMark";
import { Ago, Value } from "../ui/Value";
import { VirtualRows } from "../ui/VirtualRows";
import { RUN_MARKS } from "./marks";
import { listOrder } from "./run-order";
import { roundsWords, situation } from "./run-words";
import styles from "./RunList.module.css";
import { specWords } from "./spec-words";

export function RunList() {
  const newestFirst = useStore((state) => state.server.runs);
  const runs = useMemo(() => listOrder(newestFirst), [newestFirst]);
  const shown = useStore((state) => shownRun(state)?.id);
  const titleOf = useStrategyTitles();
  const queued = runs.filter((run) => run.state === "queued").length;
  return (
    <Panel
      title="runs"
      area="runs"
      beside={
        <span className="dim small">
          {count(runs.length)}
          {queued > 0 && `, ${count(queued)} queued`}
        </span>
      }
    >
      {runs.length === 0 ? (
        <p className={styles.empty}>none yet; each run stays here with its curves</p>
      ) : (
        <VirtualRows
          role="list"
          label="runs: the active one, the queue, then the newest"
          testId="runs"
          count={runs.length}
          rowHeight={32}
          keyOf={(index) => runs[index]?.id ?? index}
          render={(index) => {
            const run = runs[index];
            return run && <RunRow run={run} spec={specWords(run.spec, titleOf)} shown={run.id === shown} />;
          }}
        />
      )}
    </Panel>
  );
}

interface RunRowProps {
  run: Run;
  /** What it is to do, in words. */
  spec: string;
  shown: boolean;
}

function RunRow({ run, spec, shown }: RunRowProps) {
  return (
    <button
      type="button"
      className={styles.row}
      aria-current={shown ? "true" : undefined}
      onClick={() => runChosen(run.id)}
      title={[spec, situation(run), `Show the curves of run ${run.id}`].filter(Boolean).join("\n")}
      data-testid="run-row"
      data-run={run.id}
      data-state={run.state}
    >
      <span className={styles.state}>
        <StateMark mark={RUN_MARKS[run.state]} />
        {run.state}
      </span>
      <span className="mono">{run.id}</span>
      <span className="dim small ellipsis">{spec}</span>
      <span className={styles.number}>{roundsWords(run)}</span>
      <span className={styles.number}>
        <Value
          text={percent(run.final?.accuracy)}
          why={run.spec.app === null ? "not evaluated yet" : "the app has not evaluated a global model"}
        />
      </span>
      <span className={styles.time}>
        <Ago time={run.finished_at ?? run.started_at ?? run.created_at} />
      </span>
    </button>
  );
}
