import { count } from "../format/format";
import styles from "./EvaluationControls.module.css";
import { roundChosen, shownRun, useStore } from "../store/store";
import { Choice } from "../ui/Choice";
import type { EvaluationView } from "./Evaluation";
import { useEvaluatedRound } from "./useEvaluatedRound";

const VIEWS = ["classes", "labels"] as const satisfies readonly EvaluationView[];

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
  const { round, before, after, newest } = useEvaluatedRound();
  if (run === undefined || round === null) return null;
  const go = (to: number | null): void => roundChosen(to === null ? null : { run, round: to });
  return (
    <div
      className={styles.round}
      role="group"
      aria-label="round of the evaluation"
      title="or point at a round in the curves; a click keeps it"
    >
      <Step label="previous round" sign="‹" to={before} go={go} />
      <span data-testid="evaluation-round" aria-live="polite">
        round <span className="mono">{count(round.round)}</span>
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
