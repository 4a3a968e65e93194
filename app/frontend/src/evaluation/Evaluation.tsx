import type { Round, Run } from "../api/types";
import { useChosenRound } from "../runs/useChosenRound";
import { shownRun, useStore } from "../store/store";
import { ClientMixes } from "./ClientMixes";
import styles from "./Evaluation.module.css";
import { MatrixTable } from "./MatrixTable";
import { classNames, classRows, confusionRows, spreadRounds } from "./tables";
import { useEvaluatedRound } from "./useEvaluatedRound";
import { noClassesWords } from "./words";

/** The confusion matrix of a round; the accuracy of each class by round; the labels of each client. */
export const VIEWS = ["classes", "rounds", "labels"] as const;
export type EvaluationView = (typeof VIEWS)[number];

/** How the shown run's model does by class, and what each client has of each class beside how it does. */
export default function Evaluation({ view }: { view: EvaluationView }) {
  const run = useStore(shownRun);
  const { round, evaluated } = useEvaluatedRound();
  if (view === "labels") return <ClientMixes run={run} round={round} />;
  if (run === null || round?.confusion == null) return <p className={styles.empty}>{noClassesWords(run)}</p>;
  if (view === "rounds") return <ClassesByRound run={run} round={round} evaluated={evaluated} />;
  const names = classNames(run.classes, round.confusion.length);
  return (
    <MatrixTable
      caption={`Test set in round ${round.round}: samples of each class, by the class that the global model took them for`}
      corner="is ↓ taken for →"
      columns={names}
      rows={confusionRows(round, names)}
      head={(row) => row.id}
      testId="confusion"
    />
  );
}

/** So many columns can be told apart on a small screen. */
const MOST_ROUNDS = 20;

function ClassesByRound({ run, round, evaluated }: { run: Run; round: Round; evaluated: readonly Round[] }) {
  const [, go] = useChosenRound();
  const shown = spreadRounds(evaluated, round.round, MOST_ROUNDS);
  const names = classNames(run.classes, round.class_accuracy?.length ?? 0);
  return (
    <MatrixTable
      caption={`Test set: percent of each class's samples that the global model recognised, by round${shown.length < evaluated.length ? `; ${shown.length} of ${evaluated.length} rounds` : ""}`}
      corner="% by round →"
      columns={shown.map((each) => `round ${each.round}`)}
      columnHead={(column) => {
        const at = shown[column]?.round ?? 0;
        return (
          <button
            type="button"
            className={styles.pick}
            aria-label={`round ${at}`}
            aria-pressed={at === round.round}
            onClick={() => go(at)}
          >
            {at}
          </button>
        );
      }}
      chosen={shown.indexOf(round)}
      rows={classRows(shown, round, names)}
      head={(row) => row.id}
      accuracy={`in round ${round.round}`}
      testId="class-rounds"
    />
  );
}
