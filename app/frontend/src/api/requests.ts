/** What the page asks of the server. Every one rejects with RequestFailed. */
import { answerOf, client, urlOf } from "./http";
import type { AuditEntry, Checkpoint, ExportFormat, Round, Run, RunSpec, Status, Strategy } from "./types";

/** A field that is left out has the server's default; the generated type is the one of what comes back. */
export function createRun(spec: Partial<RunSpec>): Promise<Run> {
  return answerOf(client.POST("/api/v1/runs", { body: spec as RunSpec }));
}

export type Command = "pause" | "resume" | "stop";

/** What it answers is the run as it was when the command was taken, not when it is done. */
export function commandRun(runId: string, command: Command): Promise<Run> {
  const path = `/api/v1/runs/{run_id}/${command}` as const;
  return answerOf(client.POST(path, { params: { path: { run_id: runId } } }));
}

export async function fetchRounds(runId: string): Promise<Round[]> {
  const params = { path: { run_id: runId } };
  return (await answerOf(client.GET("/api/v1/runs/{run_id}/rounds", { params }))).rounds;
}

export async function fetchCheckpoints(runId: string): Promise<Checkpoint[]> {
  const params = { path: { run_id: runId } };
  return (await answerOf(client.GET("/api/v1/runs/{run_id}/checkpoints", { params }))).checkpoints;
}

/** The newest entries of the audit log before a number, newest first; without a number the newest of all. */
export async function fetchAuditEntries(before: number | null, limit: number): Promise<AuditEntry[]> {
  const query = { limit, ...(before === null ? {} : { before }) };
  return (await answerOf(client.GET("/api/v1/audit/entries", { params: { query } }))).entries;
}

export async function fetchStrategies(): Promise<Strategy[]> {
  return (await answerOf(client.GET("/api/v1/strategies"))).strategies;
}

export function fetchStatus(): Promise<Status> {
  return answerOf(client.GET("/api/v1/status"));
}

export function exportUrl(runId: string, format: ExportFormat): string {
  return urlOf("/api/v1/runs/{run_id}/export", { path: { run_id: runId }, query: { format } });
}

export function auditUrl(): string {
  return urlOf("/api/v1/audit", {});
}

export function checkpointUrl(runId: string, round: number): string {
  return urlOf("/api/v1/runs/{run_id}/checkpoints/{round}", { path: { run_id: runId, round } });
}
