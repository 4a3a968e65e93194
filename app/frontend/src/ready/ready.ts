/** What is still missing before a first round: which clients fit, and how many are needed. Pure functions. */
import type { Client, Run, RunSpec } from "../api/types";
import { joined } from "../enrolment/applicants";
import { type PageState, shownRun } from "../store/store";

/** What clients are to have: a run's settings, or those that the form begins with. */
export type Wanted = Pick<RunSpec, "app" | "dataset" | "model" | "min_clients">;

export interface Candidate {
  client: Client;
  /** Why it would take no part, in words; null: it fits. */
  objection: string | null;
}

export interface Standing {
  candidates: readonly Candidate[];
  fitting: number;
  needed: number;
}

/** The connected clients, and how many of them the run could begin with. `run` null: the one that may come. */
export function standingOf(clients: readonly Client[], wanted: Wanted, run: Run | null): Standing {
  const connected = joined(clients).filter(({ state }) => state !== "lost");
  const candidates = connected.map((client) => ({ client, objection: objectionTo(client, wanted, run) }));
  const waiting = run?.waiting_for?.kind === "clients" ? run.waiting_for : null;
  return {
    candidates,
    fitting: waiting?.have ?? candidates.filter(({ objection }) => objection === null).length,
    needed: waiting?.need ?? wanted.min_clients,
  };
}

function objectionTo(client: Client, wanted: Wanted, run: Run | null): string | null {
  if (client.membership !== "admitted") return `its key is ${client.membership}`;
  if (run !== null && client.reason !== null) return client.reason;
  const what = run === null ? "runs here begin with" : `run ${run.id} trains on`;
  if (wanted.app !== null) return client.app === wanted.app ? null : `does not run the app ${wanted.app}`;
  if (client.app !== null) return `runs the app ${client.app}`;
  if (client.dataset !== wanted.dataset) return `holds ${client.dataset}, ${what} ${wanted.dataset}`;
  return client.models.includes(wanted.model) ? null : `has no ${wanted.model} model`;
}

/** A run that has not begun, and lacks clients for it. */
function lacksClients(run: Run, clients: readonly Client[]): boolean {
  if (run.round > 0 || !["queued", "waiting"].includes(run.state)) return false;
  const { fitting, needed } = standingOf(clients, run.spec, run);
  return fitting < needed;
}

/** There is nothing to draw yet: no run, or one that waits for its first clients. */
export function isReadyCheck(state: PageState): boolean {
  if (state.server.status === null) return false;
  const run = shownRun(state);
  return run === null || lacksClients(run, state.server.clients);
}
