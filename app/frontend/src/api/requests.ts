/** What the page asks of the server. Every one rejects with RequestFailed. */
import { answerOf, client, doneBy, urlOf } from "./http";
import type {
  AuditEntry,
  Checkpoint,
  Client,
  ExportFormat,
  InvitationWish,
  ListedInvitation,
  Me,
  NewInvitation,
  Role,
  Round,
  Run,
  RunSpec,
  Status,
  Strategy,
  Token,
  User,
  VerdictEntry,
} from "./types";

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

export async function fetchStrategies(): Promise<Strategy[]> {
  return (await answerOf(client.GET("/api/v1/strategies"))).strategies;
}

export function fetchStatus(): Promise<Status> {
  return answerOf(client.GET("/api/v1/status"));
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

/** With the key that it had, or with the new one of a client that has lost it. */
export function readmitClient(clientId: string, key: string | null): Promise<Client> {
  const params = { path: { client_id: clientId } };
  return answerOf(client.POST("/api/v1/clients/{client_id}/readmit", { params, body: { key } }));
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
