import { checkpointUrl } from "../api/requests";
import type { Checkpoint, Run } from "../api/types";
import { bytes, count } from "../format/format";
import { StateMark } from "../ui/StateMark";
import { Ago } from "../ui/Value";
import { VirtualRows } from "../ui/VirtualRows";
import list from "../ui/List.module.css";
import styles from "./Files.module.css";
import { useCheckpoints } from "./useCheckpoints";
import { noCheckpointsWords } from "./words";

const COLUMNS = ["checkpoint", "size", "written", "mark", "model"] as const;

interface CheckpointListProps {
  run: Run;
  /** Changes whenever there may be another checkpoint. */
  version: string;
}

export function CheckpointList({ run, version }: CheckpointListProps) {
  const { checkpoints, failure } = useCheckpoints(run.id, version);
  if (failure !== null) {
    return (
      <p className={list.empty} role="alert">
        The checkpoints of run {run.id} could not be listed: {failure}
      </p>
    );
  }
  if (checkpoints === undefined) return <p className={list.empty}>loading the checkpoints</p>;
  if (checkpoints.length === 0) return <p className={list.empty}>{noCheckpointsWords(run)}</p>;
  return (
    <VirtualRows
      role="table"
      label={`checkpoints of run ${run.id}`}
      testId="checkpoints"
      count={checkpoints.length}
      rowHeight={32}
      keyOf={(index) => checkpoints[index]?.round ?? index}
      render={(index) => {
        const checkpoint = checkpoints[index];
        return checkpoint && <CheckpointRow run={run} checkpoint={checkpoint} />;
      }}
      head={
        <div className={`${list.row} ${list.head} ${styles.row} ${styles.head}`} role="row">
          {COLUMNS.map((column) => (
            <span key={column} role="columnheader">
              {column}
            </span>
          ))}
        </div>
      }
    />
  );
}

function CheckpointRow({ run, checkpoint }: { run: Run; checkpoint: Checkpoint }) {
  const { round, bytes: size, created_at, best } = checkpoint;
  return (
    <div className={`${list.row} ${styles.row}`} role="row" data-testid="checkpoint-row" data-round={round}>
      <span role="cell">
        round <span className="mono">{count(round)}</span>
      </span>
      <span role="cell" className="mono">
        {bytes(size)}
      </span>
      <span role="cell" className="dim">
        <Ago time={created_at} />
      </span>
      <span role="cell" className={styles.best}>
        {best && (
          <>
            <StateMark mark={["check", "good"]} />
            best
          </>
        )}
      </span>
      <span role="cell">
        <a
          href={checkpointUrl(run.id, round)}
          download
          aria-label={`Download the model of round ${round}`}
          title="the global model, as safetensors"
        >
          Download
        </a>
      </span>
    </div>
  );
}
