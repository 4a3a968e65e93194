/** What the page asks of the server. Every one rejects with RequestFailed. */
import type { LogQuery } from "../logs/filter";
import { answerOf, client, doneBy, urlOf } from "./http";
import type {
  AuditEntry,
  AuditVerification,
  Checkpoint,
  Client,
  Comparison,
  ExportFormat,
  InvitationWish,
  ListedInvitation,
  LocalClients,
  LocalClientsWish,
  LogCounts,
  LogEntry,
  LogPlace,
  Me,
  MeshTopology,
  NewInvitation,
  Outlets,
  Role,
  RoundList,
  Run,
  RunChange,
  RunList,
  RunListQuery,
  RunDelivered,
  RunLogs,
  RunPreview,
  RunProgress,
  RunsDeleted,
  RunSpec,
  Status,
  Strategy,
  SystemUsage,
  Token,
  User,
  VerdictEntry,
} from "./types";

/** A field that is left out has the server's default; the generated type is the one of what comes back. */
export function createRun(spec: Partial<RunSpec>): Promise<Run> {
  return answerOf(client.POST("/api/v1/runs", { body: spec as RunSpec }));
}

/** What a run would be like; nothing is started. Rejects as `createRun` would. */
export function previewRun(spec: Partial<RunSpec>): Promise<RunPreview> {
  return answerOf(client.POST("/api/v1/runs/preview", { body: spec as RunSpec }));
}

export function fetchRun(runId: string): Promise<Run> {
  return answerOf(client.GET("/api/v1/runs/{run_id}", { params: { path: { run_id: runId } } }));
}

export type Command = "pause" | "resume" | "stop";

/** What it answers is the run as it was when the command was taken, not when it is done. */
export function commandRun(runId: string, command: Command): Promise<Run> {
  const path = `/api/v1/runs/{run_id}/${command}` as const;
  return answerOf(client.POST(path, { params: { path: { run_id: runId } } }));
}

/** Have a round take what has come in this phase. What is meant is named, so that nothing later is ended. */
export function goOnWithout(runId: string, round: number, phase: RunProgress["phase"]): Promise<Run> {
  const params = { path: { run_id: runId } };
  return answerOf(client.POST("/api/v1/runs/{run_id}/go-on", { params, body: { round, phase } }));
}

export function fetchRuns(query: RunListQuery): Promise<RunList> {
  return answerOf(client.GET("/api/v1/runs", { params: { query } }));
}

/** A field that is left out stays as it is. */
export function changeRun(runId: string, change: Partial<RunChange>): Promise<Run> {
  const params = { path: { run_id: runId } };
  return answerOf(client.PATCH("/api/v1/runs/{run_id}", { params, body: change as RunChange }));
}

export function deleteRuns(runIds: readonly string[]): Promise<RunsDeleted> {
  return answerOf(client.DELETE("/api/v1/runs", { params: { query: { ids: runIds.join(",") } } }));
}

export function fetchComparison(runIds: readonly string[], baseline: string | null): Promise<Comparison> {
  const query = { ids: runIds.join(","), ...(baseline === null ? {} : { baseline }) };
  return answerOf(client.GET("/api/v1/runs/compare", { params: { query } }));
}

export function comparisonUrl(runIds: readonly string[], baseline: string): string {
  return urlOf("/api/v1/runs/compare/export", { query: { ids: runIds.join(","), baseline } });
}

export interface RoundsWanted {
  after: number;
  limit: number;
  /** A run with more rounds is thinned out to about so many. */
  points: number;
  /** Whose parts are sent; without it everybody's. */
  clients?: readonly string[];
}

/** Some of a run's complete rounds, ascending, and whether there are more after them. */
export function fetchRounds(runId: string, { clients, ...wanted }: RoundsWanted): Promise<RoundList> {
  const query = { ...wanted, ...(clients === undefined ? {} : { clients: clients.join(",") }) };
  return answerOf(client.GET("/api/v1/runs/{run_id}/rounds", { params: { path: { run_id: runId }, query } }));
}

/** Training samples by label of each client that tells them, as they were in the run. */
export async function fetchLabels(runId: string): Promise<Record<string, number[]>> {
  const params = { path: { run_id: runId } };
  return (await answerOf(client.GET("/api/v1/runs/{run_id}/labels", { params }))).label_counts;
}

/** In how many rounds of the run each client's update counted. */
export function fetchDelivered(runId: string): Promise<RunDelivered> {
  const params = { path: { run_id: runId } };
  return answerOf(client.GET("/api/v1/runs/{run_id}/delivered", { params }));
}

/** The newest `limit` log records of a run, oldest first, and how many there are of each kind in all. */
export function fetchRunLogs(runId: string, limit: number): Promise<RunLogs> {
  const params = { path: { run_id: runId }, query: { limit } };
  return answerOf(client.GET("/api/v1/runs/{run_id}/logs", { params }));
}

/** How many lines of the log there are of each kind, whichever kinds are asked for. */
export function fetchLogCounts(query: LogQuery): Promise<LogCounts> {
  return answerOf(client.GET("/api/v1/logs/counts", { params: { query } }));
}

/** Lines of the log from the oldest on, without the first `skip`. */
export async function fetchLogBlock(query: LogQuery, skip: number, limit: number): Promise<LogEntry[]> {
  const params = { query: { ...query, skip, limit } };
  return (await answerOf(client.GET("/api/v1/logs", { params }))).logs;
}

/** The first line with this number or a higher one, or from this time (Unix seconds) on; else the last of all. */
export function fetchLogPlace(query: LogQuery, at: { seq: number } | { time: number }): Promise<LogPlace> {
  return answerOf(client.GET("/api/v1/logs/place", { params: { query: { ...query, ...at } } }));
}

export function logUrl(query: LogQuery, format: "text" | "jsonl"): string {
  return urlOf("/api/v1/logs/file", { query: { ...query, format } });
}

export async function fetchCheckpoints(runId: string): Promise<Checkpoint[]> {
  const params = { path: { run_id: runId } };
  return (await answerOf(client.GET("/api/v1/runs/{run_id}/checkpoints", { params }))).checkpoints;
}

/** On the newest `limit` replies of a client in a run, oldest first. */
export async function fetchVerdicts(runId: string, clientId: string, limit: number): Promise<VerdictEntry[]> {
  const params = { path: { run_id: runId }, query: { client: clientId, limit } };
  return (await answerOf(client.GET("/api/v1/runs/{run_id}/verdicts", { params }))).verdicts;
}

/** The newest entries of the audit log before a number, newest first; without a number the newest of all. */
export async function fetchAuditEntries(before: number | null, limit: number): Promise<AuditEntry[]> {
  const query = { limit, ...(before === null ? {} : { before }) };
  return (await answerOf(client.GET("/api/v1/audit/entries", { params: { query } }))).entries;
}

/** The server checks its whole log, which takes a while where it is long. */
export function verifyAudit(): Promise<AuditVerification> {
  return answerOf(client.GET("/api/v1/audit/verification"));
}

export async function fetchStrategies(): Promise<Strategy[]> {
  return (await answerOf(client.GET("/api/v1/strategies"))).strategies;
}

/** Of the last quarter of an hour, at most so many moments of each node. */
/** `since`: Unix seconds; null: the server's last quarter of an hour. */
export function fetchUsage(points: number, since: number | null): Promise<SystemUsage> {
  const query = since === null ? { points } : { points, since };
  return answerOf(client.GET("/api/v1/system", { params: { query } }));
}

/** Whom the server tells by itself of what happens. */
export function fetchOutlets(): Promise<Outlets> {
  return answerOf(client.GET("/api/v1/outlets"));
}

/** Sends the webhook a notice that says nothing. */
export async function testWebhook(): Promise<void> {
  await answerOf(client.POST("/api/v1/outlets/webhook/test"));
}

export function fetchStatus(): Promise<Status> {
  return answerOf(client.GET("/api/v1/status"));
}

export function fetchMesh(): Promise<MeshTopology> {
  return answerOf(client.GET("/api/v1/mesh"));
}

/** The server vouches for this key no more. */
export function blockInMesh(key: string, reason: string): Promise<MeshTopology> {
  return answerOf(client.POST("/api/v1/mesh/block", { body: { key, reason } }));
}

/** It does again. */
export function unblockInMesh(key: string): Promise<MeshTopology> {
  return answerOf(client.POST("/api/v1/mesh/unblock", { body: { key } }));
}

/** A field that is left out has the server's default. */
export function createInvitation(wish: Partial<InvitationWish>): Promise<NewInvitation> {
  return answerOf(client.POST("/api/v1/invitations", { body: wish as InvitationWish }));
}

export async function fetchInvitations(): Promise<ListedInvitation[]> {
  return (await answerOf(client.GET("/api/v1/invitations"))).invitations;
}

export function revokeInvitation(id: string): Promise<ListedInvitation> {
  const params = { path: { invitation_id: id } };
  return answerOf(client.POST("/api/v1/invitations/{invitation_id}/revoke", { params }));
}

/** The decision is on a key, which somebody has looked at. */
export function decideOnKey(clientId: string, decision: "approve" | "reject", key: string): Promise<Client> {
  const path = `/api/v1/clients/{client_id}/${decision}` as const;
  return answerOf(client.POST(path, { params: { path: { client_id: clientId } }, body: { key } }));
}

export function revokeClient(clientId: string): Promise<Client> {
  const params = { path: { client_id: clientId } };
  return answerOf(client.POST("/api/v1/clients/{client_id}/revoke", { params }));
}

/** One that is gone for good. */
export function forgetClient(clientId: string): Promise<void> {
  const params = { path: { client_id: clientId } };
  return doneBy(client.DELETE("/api/v1/clients/{client_id}", { params }));
}

/** With the key that it had, or with the new one of a client that has lost it. */
export function readmitClient(clientId: string, key: string | null): Promise<Client> {
  const params = { path: { client_id: clientId } };
  return answerOf(client.POST("/api/v1/clients/{client_id}/readmit", { params, body: { key } }));
}

export function fetchLocalClients(): Promise<LocalClients> {
  return answerOf(client.GET("/api/v1/local-clients"));
}

/** They connect by themselves, within seconds. */
export function startLocalClients(wish: LocalClientsWish): Promise<LocalClients> {
  return answerOf(client.POST("/api/v1/local-clients", { body: wish }));
}

export function endLocalClient(clientId: string): Promise<void> {
  const params = { path: { client_id: clientId } };
  return doneBy(client.DELETE("/api/v1/local-clients/{client_id}", { params }));
}

export function endLocalClients(): Promise<void> {
  return doneBy(client.DELETE("/api/v1/local-clients"));
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

export function fetchMe(): Promise<Me> {
  return answerOf(client.GET("/api/v1/me"));
}

export function logIn(name: string, password: string): Promise<Me> {
  return answerOf(client.POST("/api/v1/login", { body: { name, password } }));
}

export function setUp(token: string, name: string, password: string): Promise<Me> {
  return answerOf(client.POST("/api/v1/setup", { body: { token, name, password } }));
}

export function logOut(): Promise<void> {
  return doneBy(client.POST("/api/v1/logout"));
}

export function changePassword(old: string, fresh: string): Promise<void> {
  return doneBy(client.POST("/api/v1/me/password", { body: { old, new: fresh } }));
}

export async function fetchUsers(): Promise<User[]> {
  return (await answerOf(client.GET("/api/v1/users"))).users;
}

export function addUser(name: string, role: Role, password: string): Promise<User> {
  return answerOf(client.POST("/api/v1/users", { body: { name, role, password } }));
}

export function changeRole(name: string, role: Role): Promise<User> {
  return answerOf(
    client.PATCH("/api/v1/users/{name}", { params: { path: { name } }, body: { role, password: null } }),
  );
}

/** The user's sessions end by that. */
export function setPassword(name: string, password: string): Promise<User> {
  return answerOf(
    client.PATCH("/api/v1/users/{name}", { params: { path: { name } }, body: { role: null, password } }),
  );
}

export function removeUser(name: string): Promise<void> {
  return doneBy(client.DELETE("/api/v1/users/{name}", { params: { path: { name } } }));
}

export async function fetchTokens(): Promise<Token[]> {
  return (await answerOf(client.GET("/api/v1/tokens"))).tokens;
}

/** The token itself, which nobody can look up later. */
export async function makeToken(label: string, role: Role, days: number): Promise<string> {
  const body = { label, role, expires_in_s: days * 24 * 3600 };
  return (await answerOf(client.POST("/api/v1/tokens", { body }))).token;
}

export function revokeToken(id: string): Promise<void> {
  return doneBy(client.DELETE("/api/v1/tokens/{id}", { params: { path: { id } } }));
}
