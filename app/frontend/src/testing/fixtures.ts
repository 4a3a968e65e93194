/** Records for the tests: each names only what matters to it, all else is as the OpenAPI document has it by default. */
import openapi from "../../openapi.json";
import type { components } from "../api/schema";
import type {
  AuditEntry,
  AuditStatus,
  Checkpoint,
  Client,
  ClientMesh,
  ClientRound,
  LogEntry,
  Me,
  MeshNode,
  MeshRound,
  PrivacySpent,
  Round,
  Outcome,
  Run,
  RunList,
  RunSpec,
  Snapshot,
  Status,
  Strategy,
  StrategyParameter,
  Usage,
  WaitingFor,
} from "../api/types";

type Schemas = components["schemas"];

/** An object has properties; other schemas, such as an enum, have other keys. */
interface Schema {
  properties?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  [key: string]: unknown;
}

const SCHEMAS: Readonly<Record<string, Schema>> = openapi.components.schemas;

/** The defaults of a schema's fields; a table is empty. */
function defaultsOf(name: keyof Schemas): Record<string, unknown> {
  const known = Object.entries(SCHEMAS[name]?.properties ?? {}).flatMap(([field, property]) => {
    if (property.default !== undefined) return [[field, structuredClone(property.default)] as const];
    return property.type === "object" ? [[field, {}] as const] : [];
  });
  return Object.fromEntries(known);
}

/** Throws where a field has neither a default nor a value. */
function record<Name extends keyof Schemas>(name: Name, given: Partial<Schemas[Name]>): Schemas[Name] {
  const made = { ...defaultsOf(name), ...given };
  const missing = Object.keys(SCHEMAS[name]?.properties ?? {}).filter((field) => !(field in made));
  if (missing.length > 0) throw new Error(`the fixture of ${name} lacks ${missing.join(", ")}`);
  return made as Schemas[Name];
}

export function spec(changes: Partial<RunSpec> = {}): RunSpec {
  return record("RunSpec", changes);
}

export function run(changes: Partial<Run> = {}): Run {
  return record("Run", {
    id: "7f3a9c01",
    state: "running",
    spec: spec(),
    round: 4,
    num_rounds: 10,
    created_at: 100,
    started_at: 101,
    ...changes,
  });
}

export function waitingFor(kind: WaitingFor["kind"], changes: Partial<WaitingFor> = {}): WaitingFor {
  return record("WaitingFor", { kind, ...changes });
}

export function round(number: number, changes: Partial<Round> = {}): Round {
  return record("Round", {
    round: number,
    complete: true,
    clients: 2,
    started_at: 100 + number,
    duration_s: 1,
    ...changes,
  });
}

export function privacy(changes: Partial<PrivacySpent> = {}): PrivacySpent {
  return record("PrivacySpent", { protects: "client", epsilon: 1, delta: 1e-5, releases: 1, ...changes });
}

export function result(changes: Partial<ClientRound> = {}): ClientRound {
  return record("ClientRound", changes);
}

export function client(id: string, changes: Partial<Client> = {}): Client {
  return record("Client", {
    id,
    state: "idle",
    dataset: "digits",
    models: ["cnn"],
    host: "lab",
    device: "cpu",
    connected_at: 90,
    last_seen: 100,
    ...changes,
  });
}

/** What a client says of its node in the mesh. */
export function mesh(changes: Partial<ClientMesh> = {}): ClientMesh {
  return record("ClientMesh", { addresses: [], ...changes });
}

/** How a client sees another node; a neighbour, unless a test says otherwise. */
export function meshPeer(
  key: string,
  changes: Partial<MeshNode["peers"][number]> = {},
): MeshNode["peers"][number] {
  return record("MeshPeer", { key, state: "online", hops: 1, latency_s: 0.002, ...changes });
}

export function meshRound(number: number, changes: Partial<MeshRound> = {}): MeshRound {
  return record("MeshRound", {
    run_id: "7f3a9c01",
    base_round: 3,
    number,
    time: 150 + number,
    loss: null,
    accuracy: null,
    divergence: null,
    averaged_with: [],
    ...changes,
  });
}

export function meshStory(changes: Partial<MeshNode["story"]> = {}): MeshNode["story"] {
  return record("MeshStory", { rounds: [], blocked: [], ...changes });
}

/** A client in the mesh, as GET /api/v1/mesh has it. */
export function meshNode(
  id: string,
  peers: MeshNode["peers"] = [],
  story: Partial<MeshNode["story"]> = {},
): MeshNode {
  return { id, key: `KEY-${id}`, connected: true, mesh: mesh(), peers, story: meshStory(story), now: null };
}

export function strategy(changes: Partial<Strategy> = {}): Strategy {
  return record("StrategyInfo", {
    name: "fedavg",
    title: "FedAvg",
    summary: "The mean of the updates, weighted by samples.",
    reference: "",
    minimum_updates: 1,
    streams: true,
    parameters: [],
    ...changes,
  });
}

export function parameter(changes: Partial<StrategyParameter> = {}): StrategyParameter {
  return record("ParameterInfo", {
    name: "proximal_mu",
    type: "number",
    default: 0.1,
    minimum: 0,
    exclusive_minimum: false,
    maximum: null,
    exclusive_maximum: false,
    description: "weight of the proximal term",
    ...changes,
  });
}

export function status(changes: Partial<Status> = {}): Status {
  return record("Status", {
    version: "0.1.0",
    instance: "one",
    started_at: 50,
    uptime_s: 150,
    seq: 10,
    async_mode: "threading",
    link: { host: "127.0.0.1", port: 9092 },
    active_run: null,
    queued_runs: 0,
    clients: { connected: 2, lost: 0, pending: 0 },
    app: null,
    resume: "auto",
    store: "SQLite, fedloom.db",
    store_problem: null,
    default_spec: spec(),
    join_command: "python run_client.py --client-id client-3 --dataset digits",
    export_command: "python -m app.export",
    ...changes,
  });
}

export function logEntry(seq: number, changes: Partial<LogEntry> = {}): LogEntry {
  return record("LogEntry", {
    seq,
    time: 100 + seq,
    level: "info",
    source: "server",
    logger: "app.federation.runs",
    message: `message ${seq}`,
    ...changes,
  });
}

export function checkpoint(number: number, changes: Partial<Checkpoint> = {}): Checkpoint {
  return record("CheckpointEntry", {
    round: number,
    bytes: 1_640_000,
    created_at: 100,
    best: false,
    ...changes,
  });
}

export function audit(changes: Partial<AuditStatus> = {}): AuditStatus {
  return record("AuditStatus", {
    log: "ba5918f5babf62b760a3d8c52380363c",
    key: "WFQCR7G-JSA7EDG",
    size: 16,
    root: "941723b992b9407e8f6b38d4ed362777",
    time: 190,
    witnesses: [],
    ...changes,
  });
}

export function auditEntry(index: number, changes: Partial<AuditEntry> = {}): AuditEntry {
  return record("AuditEntry", { index, time: 100 + index, kind: "server-stopped", fields: {}, ...changes });
}

export function snapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return record("Snapshot", {
    seq: 10,
    time: 200,
    instance: "one",
    status: status(),
    runs: [],
    total_runs: changes.runs?.length ?? 0,
    rounds: {},
    newest_rounds: {},
    clients: [],
    logs: [],
    audit: audit(),
    ...changes,
  });
}

export function usage(time: number, changes: Partial<Usage> = {}): Usage {
  return record("Usage", {
    time,
    cpu: 0.5,
    cores: 4,
    process_cores: 1,
    memory_used: 4e9,
    memory_total: 8e9,
    process_memory: 1e9,
    disk_used: 30e9,
    disk_total: 100e9,
    disk_read: 0,
    disk_written: 2e6,
    sent: 1000,
    received: 5000,
    gpus: [],
    ...changes,
  });
}

/** Whoever started the server, unless a test says otherwise. */
export function me(changes: Partial<Me> = {}): Me {
  return { name: null, role: "admin", by: "owner", csrf: null, ...changes };
}

/** What GET /api/v1/runs answers where all runs are wanted. */
export function runList(runs: readonly Run[], changes: Partial<RunList> = {}): RunList {
  const states: RunList["states"] = {};
  for (const { state } of runs) states[state] = (states[state] ?? 0) + 1;
  return { runs: [...runs], total: runs.length, received: {}, states, tags: [], ...changes };
}

export function outcome(changes: Partial<Outcome> = {}): Outcome {
  return {
    rounds: 10,
    best: null,
    final: null,
    final_loss: null,
    reached: null,
    reached_of_final: null,
    epsilon: null,
    duration_s: 60,
    received: null,
    ...changes,
  };
}
