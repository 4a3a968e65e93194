/** Why there is no evaluation to see. Pure functions. */
import { isOver, type Run } from "../api/types";

export function noClassesWords(run: Run | null): string {
  if (run === null) return "Per-class accuracy and the confusion matrix appear here once a run has started.";
  if (run.spec.app !== null) {
    return `${run.spec.app} evaluates its own model; the numbers that it reports are in the curves and in the client table.`;
  }
  if (isOver(run.state)) return "The run ended before its model was evaluated.";
  return "They appear when the initial model has been evaluated.";
}

export function noLabelsWords(run: Run | null): string {
  if (run === null) return "The clients' labels appear here once a run has started.";
  if (run.spec.app !== null) return `Which labels a client has is known to ${run.spec.app} only.`;
  return "Each client reports its label counts once per run, unless they are kept private.";
}
