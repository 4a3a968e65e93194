/** Names for the generated schema types, and the events that the socket carries. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type RunSpec = Schemas["RunSpec"];
export type Run = Schemas["Run"];
export type RunState = Run["state"];
export type RunProgress = Schemas["RunProgress"];
export type Round = Schemas["Round"];
export type ClientRound = Schemas["ClientRound"];
export type Client = Schemas["Client"];
export type ClientState = Client["state"];
export type AppInfo = Schemas["AppInfo"];
export type Scalar = AppInfo["run_config"][string];
export type Strategy = Schemas["StrategyInfo"];
export type StrategyParameter = Schemas["ParameterInfo"];
export type Checkpoint = Schemas["CheckpointEntry"];
export type LogRecord = Schemas["LogRecord"];
export type LogEntry = Schemas["LogEntry"];
export type LogLevel = LogEntry["level"];
export type Status = Schemas["Status"];
export type Snapshot = Schemas["Snapshot"];
export type Problem = Schemas["Problem"];
export type FieldError = Schemas["FieldError"];
export type ExportFormat = Schemas["ExportFormat"];

interface Envelope<Type extends string, Data> {
  seq: number;
  time: number;
  type: Type;
  data: Data;
}

export type RunUpdate = Envelope<"run_update", Run>;
export type MetricsUpdate = Envelope<"metrics_update", { run_id: string; round: Round }>;
export type ClientUpdate = Envelope<"client_update", Client>;
export type LogEvent = Envelope<"log", LogRecord>;
export type ServerEvent = RunUpdate | MetricsUpdate | ClientUpdate | LogEvent;

/** Nothing can happen to it any more. */
export function isOver(state: RunState): boolean {
  return state === "completed" || state === "stopped" || state === "failed";
}

/** It holds or awaits the clients; a run that is queued stands behind it. */
export function isActive(state: RunState): boolean {
  return state === "running" || state === "waiting" || state === "paused";
}
