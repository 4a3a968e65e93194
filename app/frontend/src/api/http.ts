/** The page's REST calls. A failure is a RequestFailed whose message can be shown as it is. */
import type { Checkpoint, Problem, Round, Run, RunSpec, Status, Strategy } from "./types";

export interface FieldError {
  field: string;
  message: string;
}

export class RequestFailed extends Error {
  constructor(
    message: string,
    readonly status: number | null = null,
    readonly fields: FieldError[] = [],
  ) {
    super(message);
    this.name = "RequestFailed";
  }
}

async function problemOf(response: Response): Promise<RequestFailed> {
  const type = response.headers.get("content-type") ?? "";
  const problem = type.includes("json") ? await json<Partial<Problem>>(response) : null;
  if (problem !== null) {
    return new RequestFailed(
      problem.detail || problem.title || `The server answered ${response.status}.`,
      response.status,
      problem.errors ?? [],
    );
  }
  return new RequestFailed(`The server answered ${response.status} ${response.statusText}.`, response.status);
}

async function call<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, init);
  } catch {
    throw new RequestFailed("The server did not answer, so nothing was changed. Try again when it is back.");
  }
  if (!response.ok) throw await problemOf(response);
  const answer = await json<T>(response);
  if (answer === null) throw new RequestFailed("The answer was cut short or does not come from the server.");
  return answer;
}

/** The body as JSON; null where it is none. */
async function json<T>(response: Response): Promise<T | null> {
  try {
    return (await response.json()) as T;
  } catch {
    return null;
  }
}

export function createRun(spec: Partial<RunSpec>): Promise<Run> {
  return call<Run>("/runs", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(spec),
  });
}

export type Command = "pause" | "resume" | "stop";

/** What it answers is the run as it was when the command was taken, not when it is done. */
export function commandRun(runId: string, command: Command): Promise<Run> {
  return call<Run>(`${pathOf(runId)}/${command}`, { method: "POST" });
}

export async function fetchRounds(runId: string): Promise<Round[]> {
  return (await call<{ rounds: Round[] }>(`${pathOf(runId)}/rounds`)).rounds;
}

export async function fetchCheckpoints(runId: string): Promise<Checkpoint[]> {
  return (await call<{ checkpoints: Checkpoint[] }>(`${pathOf(runId)}/checkpoints`)).checkpoints;
}

export async function fetchStrategies(): Promise<Strategy[]> {
  return (await call<{ strategies: Strategy[] }>("/strategies")).strategies;
}

export function fetchStatus(): Promise<Status> {
  return call<Status>("/status");
}

export const EXPORT_FORMATS = ["json", "csv", "tensorboard"] as const;

export function exportUrl(runId: string, format: (typeof EXPORT_FORMATS)[number]): string {
  return `/api/v1${pathOf(runId)}/export?format=${format}`;
}

export function checkpointUrl(runId: string, round: number): string {
  return `/api/v1${pathOf(runId)}/checkpoints/${round}`;
}

function pathOf(runId: string): string {
  return `/runs/${encodeURIComponent(runId)}`;
}
