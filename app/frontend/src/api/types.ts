/** Names for the generated schema types. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type RunSpec = Schemas["RunSpec"];
export type Run = Schemas["Run"];
export type PrivacySpent = Schemas["PrivacySpent"];
export type RunState = Run["state"];
export type WaitingFor = Schemas["WaitingFor"];
export type RunProgress = Schemas["RunProgress"];
export type Round = Schemas["Round"];
export type ClientRound = Schemas["ClientRound"];
export type Client = Schemas["Client"];
export type ClientState = Client["state"];
export type Verdict = Schemas["Verdict"];
export type VerdictEntry = Schemas["VerdictEntry"];
export type Membership = Client["membership"];
export type InvitationWish = Schemas["InvitationWish"];
export type InvitationKind = InvitationWish["kind"];
export type NewInvitation = Schemas["NewInvitation"];
export type ListedInvitation = Schemas["ListedInvitation"];
export type AppInfo = Schemas["AppInfo"];
export type Scalar = AppInfo["run_config"][string];
export type Strategy = Schemas["StrategyInfo"];
export type StrategyParameter = Schemas["ParameterInfo"];
export type Checkpoint = Schemas["CheckpointEntry"];
export type AuditStatus = Schemas["AuditStatus"];
export type AuditWitness = Schemas["AuditWitness"];
export type AuditEntry = Schemas["AuditEntry"];
export type LogRecord = Schemas["LogRecord"];
export type LogEntry = Schemas["LogEntry"];
export type LogLevel = LogEntry["level"];
export type Status = Schemas["Status"];
export type Snapshot = Schemas["Snapshot"];
export type Problem = Schemas["Problem"];
export type FieldError = Schemas["FieldError"];
export type ExportFormat = Schemas["ExportFormat"];

/** Whatever the socket tells beside the snapshot: one union, told apart by `type`. */
export type ServerEvent = Schemas["Event"];
export type LogEvent = Schemas["LogEvent"];

/** Nothing can happen to it any more. */
export function isOver(state: RunState): boolean {
  return state === "completed" || state === "stopped" || state === "failed";
}

/** It holds or awaits the clients; a run that is queued stands behind it. */
export function isActive(state: RunState): boolean {
  return state === "running" || state === "waiting" || state === "paused";
}

export type Me = Schemas["Me"];
export type Role = Schemas["Role"];
export type User = Schemas["UserInfo"];
export type Token = Schemas["TokenInfo"];

/** From the least to the most. */
export const ROLES = ["viewer", "operator", "admin"] as const satisfies readonly Role[];
