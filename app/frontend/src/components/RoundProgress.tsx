import type { Run } from "../api/types";
import { count } from "../format/format";
import styles from "./RunBar.module.css";

/** Up to here each round is a segment of its own; beyond, the bar is one piece. */
const MOST_SEGMENTS = 50;

/** Share of the current round that is over: half is training, half is evaluation, each by its replies. */
function shareOfRound({ state, progress }: Run): number {
  if (state !== "running" || progress === null) return 0;
  const replies = progress.total > 0 ? progress.done / progress.total : 0;
  switch (progress.phase) {
    case "training":
      return replies / 2;
    case "evaluating":
      return 0.5 + replies / 2;
    case "aggregating":
      return 0.5;
  }
}

export function RoundProgress({ run, done }: { run: Run; done: number }) {
  const total = run.num_rounds;
  const shown = Math.max(run.round, done);
  const digits = count(total).length;
  const segments = total <= MOST_SEGMENTS ? total : 1;
  const reached = done + (done < total ? shareOfRound(run) : 0);
  return (
    <div className={styles.progress}>
      <p className={styles.rounds}>
        round{" "}
        <span className="mono" data-testid="round">
          {count(shown).padStart(digits, "\u2007")} of {count(total)}
        </span>
      </p>
      <div
        className={styles.segments}
        role="progressbar"
        aria-label="progress of the run"
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
        data-testid="round-progress"
      >
        {Array.from({ length: segments }, (_, index) => {
          const filled = Math.min(1, Math.max(0, segments === 1 ? reached / total : reached - index));
          const current = segments > 1 && filled < 1;
          return (
            <div key={index} className={styles.segment}>
              <div
                className={current ? `${styles.fill} ${styles.current}` : styles.fill}
                style={{ transform: `scaleX(${filled})` }}
              />
            </div>
          );
        })}
      </div>
    </div>
  );
}
