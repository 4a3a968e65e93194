import type { Run } from "../api/types";
import { count, NO_DATA } from "../format/format";
import { Value } from "../ui/Value";
import { barOf, roundShown } from "./round-progress";
import { labelWords } from "./round-words";
import styles from "./RunBar.module.css";

interface RoundProgressProps {
  run: Run;
  /** Rounds that are over. */
  done: number;
  /** The app's own number of the round that is shown, where it is another. */
  label: string | undefined;
}

/** How far the run is; how far the current round is, where the run's end is not known. */
export function RoundProgress({ run, done, label: appLabel }: RoundProgressProps) {
  const { segments, label, value, max } = barOf(run, done);
  return (
    <div className={styles.progress}>
      <p className={styles.rounds}>
        round{" "}
        <span className="mono" data-testid="round">
          <Rounds run={run} done={done} />
        </span>
        {labelWords(appLabel).map((words) => (
          <span key={words} className="dim" data-testid="round-label">
            {" "}
            {words}
          </span>
        ))}
      </p>
      <div
        className={styles.segments}
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={max}
        aria-valuenow={value}
        data-testid="round-progress"
      >
        {segments.map((filled, index) => (
          <div key={index} className={styles.segment}>
            <div
              className={segments.length > 1 && filled < 1 ? `${styles.fill} ${styles.current}` : styles.fill}
              style={{ transform: `scaleX(${filled})` }}
            />
          </div>
        ))}
      </div>
    </div>
  );
}

function Rounds({ run, done }: { run: Run; done: number }) {
  const shown = roundShown(run, done);
  if (run.num_rounds === null)
    return <Value text={shown === 0 ? NO_DATA : count(shown)} why="the app has not begun a round yet" />;
  const total = count(run.num_rounds);
  return `${count(shown).padStart(total.length, "\u2007")} of ${total}`;
}
