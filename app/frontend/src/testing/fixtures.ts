/** Records with every field set, for the unit tests: each test names only what matters to it. */
import type { Client, ClientRound, Round, Run, RunSpec, Status } from "../api/types";

export function spec(changes: Partial<RunSpec> = {}): RunSpec {
  return {
    app: null,
    run_config: {},
    dataset: "digits",
    model: "cnn",
    num_rounds: 10,
    min_clients: 2,
    num_partitions: null,
    strategy: "fedavg",
    strategy_params: {},
    local_epochs: 1,
    batch_size: 32,
    lr: 0.05,
    alpha: 0.5,
    seed: 0,
    fraction_train: 1,
    fraction_evaluate: 1,
    round_timeout_s: null,
    min_replies: 1,
    min_reply_share: 0,
    keep_checkpoints: 3,
    ...changes,
  };
}

export function run(changes: Partial<Run> = {}): Run {
  return {
    id: "7f3a9c01",
    state: "running",
    reason: null,
    spec: spec(),
    round: 4,
    num_rounds: 10,
    progress: null,
    clients: [],
    created_at: 100,
    started_at: 101,
    finished_at: null,
    final: null,
    error: null,
    classes: [],
    can_resume: false,
    ...changes,
  };
}

export function round(number: number, changes: Partial<Round> = {}): Round {
  return {
    round: number,
    complete: true,
    train_loss: null,
    loss: null,
    accuracy: null,
    client_loss: null,
    client_accuracy: null,
    class_accuracy: null,
    confusion: null,
    clients: 2,
    started_at: 100 + number,
    duration_s: 1,
    per_client: {},
    ...changes,
  };
}

export function result(changes: Partial<ClientRound> = {}): ClientRound {
  return {
    train_loss: null,
    loss: null,
    accuracy: null,
    samples: null,
    train_s: null,
    evaluate_s: null,
    late: false,
    metrics: {},
    error: null,
    ...changes,
  };
}

export function client(id: string, changes: Partial<Client> = {}): Client {
  return {
    id,
    state: "idle",
    app: null,
    dataset: "digits",
    models: ["cnn"],
    samples: null,
    label_counts: null,
    partition: null,
    num_partitions: null,
    host: "lab",
    device: "cpu",
    connected_at: 90,
    last_seen: 100,
    reason: null,
    round: null,
    late_since: null,
    progress: null,
    accuracy: null,
    loss: null,
    train_loss: null,
    ...changes,
  };
}

export function status(changes: Partial<Status> = {}): Status {
  return {
    version: "0.1.0",
    instance: "one",
    started_at: 50,
    uptime_s: 150,
    seq: 10,
    async_mode: "threading",
    link: { host: "127.0.0.1", port: 9092 },
    active_run: "aa",
    queued_runs: 0,
    clients: { connected: 2, lost: 0 },
    app: null,
    resume: "auto",
    store: "SQLite, fedloom.db",
    store_problem: null,
    default_spec: spec(),
    join_command: "python run_client.py --client-id client-3 --dataset digits",
    export_command: "python -m app.export",
    ...changes,
  };
}
