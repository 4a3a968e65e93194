import { isOver, type Run } from "../api/types";

/** Why there is no checkpoint. */
export function noCheckpointsWords(run: Run): string {
  if (run.spec.app !== null)
    return `${run.spec.app} keeps its model itself; FedLoom has no checkpoint of it.`;
  return isOver(run.state)
    ? "The run ended before its first checkpoint."
    : "The first checkpoint is written when round 1 has ended.";
}
