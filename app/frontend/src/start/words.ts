/** What the start form says of the run that it would start. Pure functions. */
import type { AppInfo, Run, RunSpec } from "../api/types";
import { plural } from "../format/format";
import { DATASETS } from "../runs/spec-words";

/** Why a new run would not start at once, or null. */
export function queueNote(active: Run | null): string | null {
  return active && `Run ${active.id} is ${active.state}. The new run is queued and starts when it has ended.`;
}

/** Whether enough clients are there for a run to start. */
export function cohortNote(dataset: RunSpec["dataset"], holders: number, needed: number): string {
  return wouldWait(
    `${plural(holders, "connected client")} ${holders === 1 ? "holds" : "hold"} ${DATASETS[dataset]}`,
    holders,
    needed,
  );
}

/** The same for another Flower app. */
export function appCohortNote(app: AppInfo, runners: number, needed: number): string {
  return wouldWait(
    `${plural(runners, "connected client")} ${runners === 1 ? "runs" : "run"} ${app.name}`,
    runners,
    needed,
  );
}

function wouldWait(there: string, clients: number, needed: number): string {
  return clients < needed ? `${there}: it will wait for ${needed - clients} more` : there;
}
