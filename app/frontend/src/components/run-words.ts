/** What the page says about a run, in words. Pure functions. */
import type { Round, Run, RunSpec } from "../api/types";
import { isLive } from "../api/types";
import { percent, plural } from "../format/format";

export const DATASETS: Record<RunSpec["dataset"], string> = {
  digits: "Digits",
  mnist: "MNIST",
  "fashion-mnist": "Fashion-MNIST",
  cifar10: "CIFAR-10",
  synthetic: "Synthetic",
};

export const MODELS: Record<RunSpec["model"], string> = { cnn: "CNN", linear: "linear" };

export const STRATEGIES: Record<RunSpec["strategy"], string> = { fedavg: "FedAvg" };

/** α of the Dirichlet split, or IID. */
export function heterogeneity(spec: RunSpec): string {
  return spec.alpha === null ? "IID" : `α ${spec.alpha}`;
}

export function specWords(spec: RunSpec): string {
  return [DATASETS[spec.dataset], MODELS[spec.model], STRATEGIES[spec.strategy], heterogeneity(spec)].join(" · ");
}

/** The next step where there is no run. */
export function noRunWords(loaded: boolean, clients: number): string {
  if (!loaded) return "waiting for the server's first answer";
  if (clients === 0) return "clients may join before or after a run is started: it waits for them";
  return `${plural(clients, "client")} ready: start a run with “New run”`;
}

/** What stands beside the state: the phase while it runs, otherwise why it is as it is. */
export function situation(run: Run): string {
  const parts: string[] = [];
  if (run.state === "running" && run.progress !== null) {
    const { phase, done, total } = run.progress;
    parts.push(total > 0 ? `${phase} ${done} of ${total}` : phase);
  }
  if (run.reason !== null) parts.push(withoutState(run.reason, run.state));
  if (run.state === "queued" && run.reason === null) parts.push("starts when the runs before it have ended");
  if (run.state === "completed" && run.final !== null) parts.push(`${percent(run.final.accuracy)} accuracy`);
  return parts.join(" · ");
}

/** The state stands before the reason: "waiting", "for 1 more client", not "waiting" twice. */
function withoutState(reason: string, state: string): string {
  return reason.startsWith(`${state} `) ? reason.slice(state.length + 1) : reason;
}

/** Rounds that are over: the newest complete one, as far as it is known. */
export function roundsDone(run: Run, rounds: readonly Round[]): number {
  if (run.state === "completed") return run.round;
  return rounds.reduce((newest, round) => (round.complete ? Math.max(newest, round.round) : newest), 0);
}

/** Names the consequence of stopping. */
export function stopConsequence(run: Run, done: number): string {
  if (run.state === "queued") return "It has not started. It leaves the queue and does not run.";
  const kept = done === 1 ? "round 1 and its curve stay" : `rounds 1 to ${done} and their curves stay`;
  if (run.state === "waiting") {
    return done === 0 ? "No round has started. It ends without a result." : `It waits between two rounds: ${kept}.`;
  }
  const lost = run.round > done ? `Round ${run.round} is lost` : "The round in progress is lost";
  return done === 0 ? `${lost}; no round is complete yet.` : `${lost}; ${kept}.`;
}

/** Why a new run would not start at once, or null. */
export function queueNote(active: Run | null): string | null {
  if (active === null || !isLive(active.state)) return null;
  return `Run ${active.id} is ${active.state}. The new run is queued and starts when it has ended.`;
}

/** Whether enough clients are there for a run to start. */
export function cohortNote(dataset: RunSpec["dataset"], holders: number, needed: number): string {
  const held = `${plural(holders, "connected client")} ${holders === 1 ? "holds" : "hold"} ${DATASETS[dataset]}`;
  return holders < needed ? `${held}: it will wait for ${needed - holders} more` : held;
}

/** What to type to join: the server's command, with the data set of the run that waits for clients now. */
export function joinCommand(command: string | undefined, active: Run | null): string | undefined {
  return active === null ? command : command?.replace(/(--dataset )\S+/, `$1${active.spec.dataset}`);
}
