import { count } from "../format/format";
import { Explained } from "../ui/Explained";
import styles from "./EvaluationControls.module.css";
import { useChosenRound } from "../runs/useChosenRound";
import { shownRun, useStore } from "../store/store";
import { Choice } from "../ui/Choice";
import { type EvaluationView, VIEWS } from "./Evaluation";
import { useEvaluatedRound } from "./useEvaluatedRound";

interface EvaluationControlsProps {
  view: EvaluationView;
  change: (view: EvaluationView) => void;
}

/** Which round, and whether by class or by client; nothing for another app, which evaluates for itself. */
export function EvaluationControls({ view, change }: EvaluationControlsProps) {
  const foreign = useStore((state) => shownRun(state)?.spec.app != null);
  if (foreign) return null;
  return (
    <>
      <RoundChoice />
      <Choice
        label="view of the evaluation"
        options={VIEWS}
        chosen={view}
        change={change}
        testId="evaluation"
      />
    </>
  );
}

function RoundChoice() {
  const run = useStore((state) => shownRun(state)?.id);
  const { round, evaluated, before, after, newest } = useEvaluatedRound();
  const [, go] = useChosenRound();
  if (run === undefined || round === null) return null;
  return (
    <div className={styles.round} role="group" aria-label="round of the evaluation">
      <Step label="previous round" sign="‹" to={before} go={go} />
      {evaluated.length > 1 && (
        <input
          type="range"
          className={styles.slider}
          aria-label="round"
          aria-valuetext={`round ${count(round.round)}`}
          min={0}
          max={evaluated.length - 1}
          value={evaluated.indexOf(round)}
          // At the end it follows the newest again.
          onChange={({ currentTarget: { valueAsNumber: at } }) =>
            go(at === evaluated.length - 1 ? null : (evaluated[at]?.round ?? null))
          }
          data-testid="evaluation-slider"
        />
      )}
      <span data-testid="evaluation-round" aria-live="polite">
        <Explained why="or point at a round in the curves; a click keeps it" look="plain">
          round
        </Explained>{" "}
        <span className="mono">{count(round.round)}</span>
      </span>
      <Step label="next round" sign="›" to={after} go={go} />
      <button
        type="button"
        className={styles.newest}
        disabled={newest}
        onClick={() => go(null)}
        data-testid="evaluation-newest"
      >
        newest
      </button>
    </div>
  );
}

interface StepProps {
  label: string;
  sign: string;
  to: number | null;
  go: (round: number | null) => void;
}

function Step({ label, sign, to, go }: StepProps) {
  return (
    <button
      type="button"
      className={styles.step}
      aria-label={label}
      disabled={to === null}
      onClick={() => go(to)}
    >
      {sign}
    </button>
  );
}
