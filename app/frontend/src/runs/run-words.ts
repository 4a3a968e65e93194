/** What the page says about a run, in words. Pure functions. */
import type { Client, Round, Run } from "../api/types";
import { count, percent, plural, span } from "../format/format";

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
  /** The newest mean of the clients' own evaluation. */
  mean?: number | null;
}

/** What stands beside the state: the phase while it runs, why it is as it is and how late who is, and what came of it. */
export function situation(run: Run, { clients = [], now = 0, mean = null }: Surroundings = {}): string {
  const parts: string[] = [];
  if (run.progress !== null && (run.state === "running" || run.state === "paused")) {
    const { phase, done, total } = run.progress;
    parts.push(total > 0 ? `${phase} ${done} of ${total}` : phase);
  }
  const reason = run.reason === null ? unspoken(run) : withoutState(run.reason, run.state);
  if (reason !== null) parts.push(withLateness(reason, clients, now));
  if (run.state === "interrupted" && !run.can_resume) {
    parts.push("only the app knows its state; Start again begins a new run with the same settings");
  }
  if (run.state === "completed") {
    if (run.final !== null) parts.push(`${percent(run.final.accuracy)} accuracy`);
    else if (mean !== null) parts.push(`${percent(mean)} accuracy, mean of the clients`);
  }
  return parts.join(" · ");
}

/** Why it is as it is, where the server gave no reason. */
function unspoken(run: Run): string | null {
  switch (run.state) {
    case "queued":
      return "starts when the runs before it have ended";
    case "paused":
      return "nothing is sent until it is resumed";
    case "interrupted":
      return run.can_resume ? `can go on in round ${count(Math.max(1, run.round))}` : null;
    default:
      return null;
  }
}

/** The state stands before the reason: "waiting", "for 1 more client", not "waiting" twice. */
function withoutState(reason: string, state: string): string {
  const rest = reason.startsWith(state) ? reason.slice(state.length) : null;
  return rest !== null && /^[ :]/.test(rest) ? rest.replace(/^:? /, "") : reason;
}

/** The server says who is late; by how much, the page counts: "client-3 is 40 s late". */
function withLateness(reason: string, clients: readonly Client[], now: number): string {
  return reason.replace(/(\S+) is late\b/g, (words, id) => {
    const since = clients.find((client) => client.id === id)?.late_since ?? null;
    return since === null ? words : `${id} is ${span(now - since)} late`;
  });
}

/** The round lacks updates; the server tries again by itself when a client comes, or when it is told to. */
export function canTryAgain({ state, reason }: Run): boolean {
  return state === "waiting" && reason !== null && reason.startsWith("waiting to try again");
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
