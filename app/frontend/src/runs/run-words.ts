/** What the page says about a run, in words. Pure functions. */
import type { Client, Round, Run, RunState, WaitingFor } from "../api/types";
import { blockerWords, holdupsOf } from "../clients/blockers";
import { count, loss, percent, plural, span } from "../format/format";

/** The next step where there is no run. */
export function noRunWords(loaded: boolean, clients: number): string {
  if (!loaded) return "waiting for the server's first answer";
  if (clients === 0) return "clients may join before or after a run is started: it waits for them";
  return `${plural(clients, "client")} ready: start a run with “New run”`;
}

interface Surroundings {
  clients?: readonly Client[];
  /** Unix seconds of the server's clock. */
  now?: number;
  rounds?: readonly Round[];
  /** The newest mean of the clients' own evaluation. */
  mean?: number | null;
}

/** States whose reason names them: "paused by request", "waiting for 1 more client". */
const NAMED_BY_REASON: ReadonlySet<RunState> = new Set(["waiting", "paused", "stopped"]);

/** The word for the state, or null where the reason that follows says it. */
export function stateWord({ state, reason }: Run): string | null {
  return NAMED_BY_REASON.has(state) && reason !== null ? null : state;
}

/** What stands beside the state: how far it is, what it was told, why it is as it is, and what came of it. */
export function situation(
  run: Run,
  { clients = [], rounds = [], now = 0, mean = null }: Surroundings = {},
): string {
  const reason = reasonWords(run, clients, now);
  const going = [roundWords(run, blockerWords(holdupsOf(run, clients, rounds, now))), run.pending];
  const parts = stateWord(run) === null ? [reason, ...going] : [...going, reason];
  if (run.state === "interrupted") {
    parts.push(
      run.can_resume
        ? `Resume goes on in round ${count(Math.max(1, run.round))}`
        : "only the app knows its state; Start again begins a new run with the same settings",
    );
  }
  if (run.state === "completed") {
    parts.push(outcomeWords(run, mean));
  }
  return parts.filter((part) => part !== null).join(" · ");
}

/** How good the model is that came of it, as far as anybody knows. */
function outcomeWords({ final }: Run, mean: number | null): string | null {
  if (final?.accuracy != null) return `${percent(final.accuracy)} accuracy`;
  if (mean !== null) return `${percent(mean)} accuracy, mean of the clients`;
  return final?.loss == null ? null : `loss ${loss(final.loss)}`;
}

/** "Round 4: training 2 of 3, waiting for client-3 (14 s, usually 2 s)", while it runs and where it was paused. */
function roundWords({ state, round, progress }: Run, blockers: string | null): string | null {
  if (progress === null || (state !== "running" && state !== "paused")) return null;
  const { phase, done, total } = progress;
  const far = total > 0 ? `${phase} ${count(done)} of ${count(total)}` : phase;
  return [`Round ${count(round)}: ${far}`, ...(blockers === null ? [] : [blockers])].join(", ");
}

/** The server's reason, unless it is one that changes by the second: how late who is, the page counts itself. */
function reasonWords(run: Run, clients: readonly Client[], now: number): string | null {
  if (run.waiting_for?.kind === "replies") return repliesWords(run.waiting_for, clients, now);
  return run.reason ?? unspoken(run);
}

/** "waiting for 1 more reply (1 of 2): client-2 is lost; client-3 is 40 s late" */
function repliesWords(waitingFor: WaitingFor, clients: readonly Client[], now: number): string {
  const [have, need] = [waitingFor.have ?? 0, waitingFor.need ?? 0];
  const holdups = waitingFor.clients.map((id) => {
    if (waitingFor.lost.includes(id)) return `${id} is lost`;
    const since = clients.find((client) => client.id === id)?.late_since ?? null;
    return since === null ? `${id} is late` : `${id} is ${span(now - since)} late`;
  });
  const missing = plural(Math.max(0, need - have), "more reply", "more replies");
  return `waiting for ${missing} (${count(have)} of ${count(need)}): ${holdups.join("; ")}`;
}

/** Why it is as it is, where the server gave no reason. */
function unspoken(run: Run): string | null {
  switch (run.state) {
    case "queued":
      return "starts when the runs before it have ended";
    case "paused":
      return "nothing is sent until it is resumed";
    default:
      return null;
  }
}

/** The round lacks updates; the server tries again by itself when a client comes, or when it is told to. */
export function canTryAgain({ waiting_for }: Run): boolean {
  return waiting_for?.kind === "retry";
}

/** What an app raised is for its author, who started it: nobody should have to search for it. */
export function opensByItself({ cause }: Pick<Run, "cause">): boolean {
  return cause === "app-failed";
}

/** How far it is, for the list: "4 of 10", or "4" where the end is not known. */
export function roundsWords(run: Pick<Run, "round" | "num_rounds">): string {
  return run.num_rounds === null ? count(run.round) : `${count(run.round)} of ${count(run.num_rounds)}`;
}

/** Rounds that are over: the newest complete one, as far as it is known. */
export function roundsDone(run: Run, rounds: readonly Round[]): number {
  if (run.state === "completed") return run.round;
  return rounds.reduce((newest, round) => (round.complete ? Math.max(newest, round.round) : newest), 0);
}

/** Names the consequence of stopping. */
export function stopConsequence(run: Run, done: number): string {
  const kept = keptWords(run, done);
  switch (run.state) {
    case "queued":
      return "It has not started. It leaves the queue and does not run.";
    case "waiting":
      return done === 0
        ? "No round has started. It ends without a result."
        : `It waits between two rounds: ${kept}.`;
    case "interrupted":
      return `It will not go on any more; ${done === 0 ? "no round is complete" : kept}.`;
    default: {
      const lost = run.round > done ? `Round ${run.round} is lost` : "The round in progress is lost";
      return done === 0 ? `${lost}; no round is complete yet.` : `${lost}; ${kept}.`;
    }
  }
}

/** FedLoom cannot know where another app keeps its model. */
function keptWords({ spec }: Run, done: number): string {
  if (done === 1)
    return spec.app === null ? "round 1, its curve and its checkpoint stay" : "round 1 and its curve stay";
  const rounds = `rounds 1 to ${done}`;
  return spec.app === null
    ? `${rounds}, their curves and the kept checkpoints stay`
    : `${rounds} and their curves stay`;
}
