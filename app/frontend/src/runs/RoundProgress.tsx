import { isOver, type Run } from "../api/types";
import { count, NO_DATA, percent } from "../format/format";
import { roundsOf, useStore } from "../store/store";
import { Value } from "../ui/Value";
import { notRemaining, remainingOf, remainingWords } from "./remaining";
import { barOf, roundShown, scoreOf } from "./round-progress";
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
      <Score run={run} />
      <TimeLeft run={run} />
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

/** How good the newest model is; what came of a run that is complete stands beside its state. */
function Score({ run }: { run: Run }) {
  const rounds = useStore((state) => roundsOf(state, run));
  const score = scoreOf(rounds);
  if (score === null || run.state === "completed") return null;
  return (
    <p className={styles.score} data-testid="run-accuracy">
      <span className="dim">{score.ofClients ? "clients’ accuracy" : "accuracy"}</span>{" "}
      <span className="mono">{percent(score.accuracy)}</span>
    </p>
  );
}

/** Beside the rounds that are left, how long they take; of as many letters as it gets, so that nothing moves. */
function TimeLeft({ run }: { run: Run }) {
  const text = useStore((state) => {
    if (run.state !== "running") return null;
    const remaining = remainingOf(run, roundsOf(state, run), state.now);
    return remaining === null ? null : remainingWords(remaining);
  });
  const why = notRemaining(run);
  // Its place is kept as long as it may come: what stands beside it does not move.
  if (text === null && why === null) return isOver(run.state) ? null : <p className={styles.left} />;
  return (
    <p className={styles.left} data-testid="time-left">
      <Value text={text ?? NO_DATA} why={why ?? ""} />
      {text === null && " left"}
    </p>
  );
}

function Rounds({ run, done }: { run: Run; done: number }) {
  const shown = roundShown(run, done);
  if (run.num_rounds === null)
    return <Value text={shown === 0 ? NO_DATA : count(shown)} why="the app has not begun a round yet" />;
  const total = count(run.num_rounds);
  return `${count(shown).padStart(total.length, "\u2007")} of ${total}`;
}
