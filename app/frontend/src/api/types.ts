/** Names for the generated schema types. */
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type RunSpec = Schemas["RunSpec"];
export type Run = Schemas["Run"];
export type RunList = Schemas["RunList"];
export type RunListQuery = NonNullable<paths["/api/v1/runs"]["get"]["parameters"]["query"]>;
export type RunSortKey = Schemas["SortKey"];
export type RunChange = Schemas["RunChange"];
export type RunsDeleted = Schemas["RunsDeleted"];
export type Comparison = Schemas["Comparison"];
export type ComparedRun = Schemas["ComparedRun"];
export type Outcome = Schemas["Outcome"];
export type Setting = Schemas["Setting"];
export type RunPreview = Schemas["Preview"];
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
export type LocalClients = Schemas["LocalClientList"];
export type LocalClient = Schemas["LocalClientInfo"];
export type LocalClientsWish = Schemas["LocalClientsWish"];
export type ListedInvitation = Schemas["ListedInvitation"];
export type AppInfo = Schemas["AppInfo"];
export type Scalar = AppInfo["run_config"][string];
export type Strategy = Schemas["StrategyInfo"];
export type StrategyParameter = Schemas["ParameterInfo"];
export type Checkpoint = Schemas["CheckpointEntry"];
export type AuditStatus = Schemas["AuditStatus"];
export type AuditWitness = Schemas["AuditWitness"];
export type AuditVerification = Schemas["Verification"];
export type AuditEntry = Schemas["AuditEntry"];
export type ClientMesh = Schemas["ClientMesh"];
export type MeshBlock = Schemas["MeshBlock"];
export type MeshFolder = Schemas["MeshFolder"];
export type MeshMerge = Schemas["MeshMerge"];
export type MeshNode = Schemas["MeshNode"];
export type MeshTopology = Schemas["MeshTopology"];
export type MeshRound = Schemas["MeshRound"];
export type LogRecord = Schemas["LogRecord"];
export type LogEntry = Schemas["LogEntry"];
export type LogCounts = Schemas["LogCounts"];
export type RunDelivered = Schemas["RunDelivered"];
export type RunLogs = Schemas["RunLogs"];
export type LogLevel = LogEntry["level"];
export type LogBatch = Schemas["LogBatch"];
export type LogPlace = Schemas["LogPlace"];
/** As lines are counted: what a Flower app printed stands for itself. */
export type LogKind = Exclude<keyof LogCounts, "first" | "last">;
export type ClientLink = Schemas["ClientLink"];
export type Usage = Schemas["Usage"];
export type UsageUpdate = Schemas["UsageUpdate"];
export type NodeSeries = Schemas["NodeSeries"];
export type SystemUsage = Schemas["SystemUsage"];
export type Outlets = Schemas["OutletsStatus"];
export type WebhookStatus = Schemas["WebhookStatus"];
export type TrackerStatus = Schemas["TrackerStatus"];
export type Status = Schemas["Status"];
export type Snapshot = Schemas["Snapshot"];
export type Problem = Schemas["Problem"];
export type FieldError = Schemas["FieldError"];
export type ExportFormat = Schemas["ExportFormat"];

/** Whatever can happen: one union, told apart by `type`. */
export type ServerEvent = Schemas["Event"];
export type LogEvent = Schemas["LogEvent"];

/** The schema knows only that a change has fields; they are some of those of what it changes. */
export type ClientChange = Omit<Schemas["ClientChange"], "fields"> & { fields: Partial<Client> };
export type RoundChange = Omit<Schemas["RoundChange"], "fields"> & { fields: Partial<Round> };
export type LinkUpdate = Omit<Schemas["LinkUpdate"], "links"> & {
  links: Record<string, Partial<ClientLink>>;
};
export type BatchEvent =
  | ServerEvent
  | (Omit<Schemas["ClientChangeEvent"], "data"> & { data: ClientChange })
  | (Omit<Schemas["RoundChangeEvent"], "data"> & { data: RoundChange });

/** What the socket tells beside the snapshot. */
export type Batch = Omit<Schemas["Batch"], "events" | "links"> & {
  events: BatchEvent[];
  links: LinkUpdate | null;
};
export type RoundList = Schemas["RoundList"];
export type Spread = Schemas["Spread"];

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
