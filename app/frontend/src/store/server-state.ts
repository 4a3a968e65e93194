/** What the page knows of the server, and how a snapshot or an event changes it. Pure functions only. */
import type { AuditStatus, BatchEvent, Client, LogEntry, LogEvent, Round, Run } from "../api/types";
import type { Snapshot, Status } from "../api/types";
import { assignColours, type ColourIndex } from "../clients/colours";
import { isPrinted } from "../events/prints";
import { natural, withClients } from "./clients";
import { type Rounds, withChange, withFetched, withRound } from "./rounds";

export { natural };

/** Log records kept in the browser, and so many more that an app printed; the server's REST log holds the rest. */
export const LOG_LIMIT = 2000;

export interface ServerState {
  /** Random per server start: another instance means that nothing known before is valid. */
  readonly instance: string | null;
  /** The newest sequence number seen; a reconnect asks for everything after it. */
  readonly seq: number;
  /** Events up to this number were already in the snapshot. */
  readonly snapshotSeq: number;
  /** The newest sequence number applied to each run, each client, the store and the audit log: events may overtake each other. */
  readonly applied: Readonly<Record<string, number>>;
  readonly status: Status | null;
  /** Newest first: those that go on or are queued, the newest others, and those that somebody has opened. */
  readonly runs: readonly Run[];
  /** By run id, ascending. Only runs in `roundsKnown` have all of them. */
  readonly rounds: Readonly<Record<string, Rounds>>;
  readonly roundsKnown: Readonly<Record<string, true>>;
  /** In natural order of the id: client-2 before client-10. */
  readonly clients: readonly Client[];
  /** Oldest first, the newest of each kind. */
  readonly logs: readonly LogEntry[];
  readonly audit: AuditStatus | null;
  readonly colours: ColourIndex;
}

export const EMPTY: ServerState = {
  instance: null,
  seq: 0,
  snapshotSeq: 0,
  applied: {},
  status: null,
  runs: [],
  rounds: {},
  roundsKnown: {},
  clients: [],
  logs: [],
  audit: null,
  colours: {},
};

/** A snapshot replaces everything, whatever was known before. */
export function applySnapshot(snapshot: Snapshot): ServerState {
  const roundsKnown: Record<string, true> = {};
  for (const runId of Object.keys(snapshot.rounds)) roundsKnown[runId] = true;
  for (const run of snapshot.runs) if (hasNoRounds(run)) roundsKnown[run.id] = true;
  return {
    ...EMPTY,
    instance: snapshot.instance,
    seq: snapshot.seq,
    snapshotSeq: snapshot.seq,
    status: snapshot.status,
    runs: [...snapshot.runs].sort(newestFirst),
    rounds: { ...newestAlone(snapshot), ...snapshot.rounds },
    roundsKnown,
    clients: snapshot.clients.toSorted((a, b) => natural.compare(a.id, b.id)),
    logs: newestOfEachKind(snapshot.logs),
    audit: snapshot.audit,
    colours: assignColours({}, [
      ...snapshot.clients.map((client) => client.id).sort(natural.compare),
      ...Object.values(snapshot.rounds).flatMap(participants),
    ]),
  };
}

/** The newest round is known of every run that changes are told of, also where the others are asked for. */
function newestAlone({ newest_rounds }: Snapshot): Record<string, Rounds> {
  return Object.fromEntries(Object.entries(newest_rounds).map(([runId, round]) => [runId, [round]]));
}

/** The built-in app evaluates its model before round 1; what another app does in "round 0" nobody knows. */
function hasNoRounds({ final, round, spec }: Run): boolean {
  return final === null && round === 0 && spec.app === null;
}

/** Applies what came in the order given; what is older than what is known changes nothing. Costs what has changed. */
export function applyEvents(state: ServerState, events: readonly BatchEvent[]): ServerState {
  const fresh = events.filter(({ seq, type }) => type !== "log" && seq > state.snapshotSeq);
  const next = fresh.length > 0 ? new Draft(state).apply(fresh) : state;
  const logs = events.filter((event) => event.type === "log");
  return logs.length > 0 ? applyLogs(next, logs) : next;
}

/** One state from another by many events, each part of which is copied once and only if it changes. */
class Draft {
  private seq: number;
  private readonly applied: Record<string, number>;
  private status: Status | null;
  private audit: AuditStatus | null;
  private runs: readonly Run[];
  private readonly rounds: Record<string, Rounds> = {};
  private readonly roundsKnown: Record<string, true> = {};
  /** Null: it is gone. */
  private readonly clients = new Map<string, Client | null>();
  private known: ReadonlyMap<string, Client> | null = null;
  private readonly goneRuns = new Set<string>();
  private readonly seen: string[] = [];

  constructor(private readonly before: ServerState) {
    this.applied = { ...before.applied };
    ({ seq: this.seq, status: this.status, audit: this.audit, runs: this.runs } = before);
  }

  apply(events: readonly BatchEvent[]): ServerState {
    for (const event of events) {
      this.seq = Math.max(this.seq, event.seq);
      if (this.isNews(event)) this.take(event);
    }
    const { before, runs, status, audit, seq, applied } = this;
    return {
      ...before,
      seq,
      applied,
      status,
      audit,
      runs,
      rounds: without(merged(before.rounds, this.rounds), this.goneRuns),
      roundsKnown: without(merged(before.roundsKnown, this.roundsKnown), this.goneRuns),
      clients: withClients(before.clients, this.clients),
      colours: assignColours(before.colours, this.seen),
    };
  }

  /** Of what an event is about, only the newest word counts; rounds say themselves which that is. */
  private isNews(event: BatchEvent): boolean {
    const entity = entityOf(event);
    if (entity === null) return true;
    if (event.seq <= (this.applied[entity] ?? 0)) return false;
    this.applied[entity] = event.seq;
    return true;
  }

  private take(event: BatchEvent): void {
    switch (event.type) {
      case "run_update":
        this.takeRun(event.data);
        break;
      case "run_gone":
        this.runs = this.runs.filter(({ id }) => id !== event.data.id);
        this.goneRuns.add(event.data.id);
        break;
      case "metrics_update":
        this.takeRounds(event.data.run_id, event.data.round, (rounds) => withRound(rounds, event.data.round));
        break;
      case "metrics_change":
        this.takeRounds(event.data.run_id, event.data, (rounds) => withChange(rounds, event.data));
        break;
      case "client_update":
        this.clients.set(event.data.id, event.data);
        this.seen.push(event.data.id);
        break;
      case "client_change": {
        const client = this.client(event.data.id);
        if (client) this.clients.set(client.id, { ...client, ...event.data.fields });
        break;
      }
      case "client_gone":
        this.clients.set(event.data.id, null);
        break;
      case "store_update":
        this.status = this.status && { ...this.status, store_problem: event.data.problem };
        break;
      case "audit_update":
        this.audit = event.data;
        break;
      case "verdict": // what it changes, the client and the round say as well
      case "log":
        break;
    }
  }

  private takeRun(run: Run): void {
    const before = this.runs.find(({ id }) => id === run.id);
    this.seen.push(...run.clients);
    if (before === undefined) {
      this.runs = [run, ...this.runs].sort(newestFirst);
      if (startsWithNothing(run)) this.roundsKnown[run.id] = true;
      return;
    }
    this.runs = this.runs.map((other) => (other.id === run.id ? run : other));
    // One that goes on from an earlier checkpoint does the rounds after it anew.
    if (run.round < before.round)
      this.rounds[run.id] = this.roundsOf(run.id).filter(({ round }) => round <= run.round);
  }

  private takeRounds(
    runId: string,
    { per_client }: Pick<Round, "per_client">,
    change: (rounds: Rounds) => Rounds,
  ): void {
    this.rounds[runId] = change(this.roundsOf(runId));
    this.seen.push(...Object.keys(per_client));
  }

  private roundsOf(runId: string): Rounds {
    return this.rounds[runId] ?? this.before.rounds[runId] ?? [];
  }

  private client(id: string): Client | null {
    const changed = this.clients.get(id);
    if (changed !== undefined) return changed;
    this.known ??= new Map(this.before.clients.map((client) => [client.id, client]));
    return this.known.get(id) ?? null;
  }
}

/** What an event is about; null: a round, or something that stands for itself. */
function entityOf(event: BatchEvent): string | null {
  switch (event.type) {
    case "run_update":
    case "run_gone":
      return `run_update:${event.data.id}`;
    case "client_update":
    case "client_change":
    case "client_gone":
      return `client_update:${event.data.id}`;
    case "store_update":
    case "audit_update":
      return event.type;
    default:
      return null;
  }
}

/** The same where nothing is added, so that nothing is drawn again. */
function merged<T>(before: Readonly<Record<string, T>>, added: Readonly<Record<string, T>>) {
  return Object.keys(added).length > 0 ? { ...before, ...added } : before;
}

/** The same where nothing is gone. */
function without<T>(
  values: Readonly<Record<string, T>>,
  gone: ReadonlySet<string>,
): Readonly<Record<string, T>> {
  if (gone.size === 0) return values;
  return Object.fromEntries(Object.entries(values).filter(([id]) => !gone.has(id)));
}

/** One that has not started has no rounds that we could have missed; an old one, which nobody asked for, may. */
function startsWithNothing(run: Run): boolean {
  return run.started_at === null || hasNoRounds(run);
}

/** Adds an older run as fetched over REST; what the socket tells of it is newer and stays. */
export function mergeRun(state: ServerState, run: Run): ServerState {
  if (state.runs.some(({ id }) => id === run.id)) return state;
  return {
    ...state,
    runs: [run, ...state.runs].sort(newestFirst),
    roundsKnown: startsWithNothing(run) ? { ...state.roundsKnown, [run.id]: true } : state.roundsKnown,
    colours: assignColours(state.colours, run.clients),
  };
}

function applyLogs(state: ServerState, events: readonly LogEvent[]): ServerState {
  const known = new Set(state.logs.map((entry) => entry.seq));
  const fresh = events
    .filter((event) => event.seq > state.snapshotSeq && !known.has(event.seq))
    .map((event): LogEntry => ({ seq: event.seq, time: event.time, ...event.data }));
  if (fresh.length === 0) return state;
  return {
    ...state,
    seq: Math.max(state.seq, ...fresh.map((entry) => entry.seq)),
    logs: newestOfEachKind([...state.logs, ...fresh].sort((a, b) => a.seq - b.seq)),
  };
}

/** An app that prints a lot does not drive out what happened. */
function newestOfEachKind(logs: readonly LogEntry[]): readonly LogEntry[] {
  if (logs.length <= LOG_LIMIT) return logs;
  const left = { printed: LOG_LIMIT, told: LOG_LIMIT };
  return logs
    .toReversed()
    .filter((entry) => left[isPrinted(entry) ? "printed" : "told"]-- > 0)
    .reverse();
}

/** Adds complete rounds of a run as fetched over REST; what arrived live meanwhile is newer and stays. */
export function mergeRounds(
  state: ServerState,
  runId: string,
  fetched: readonly Round[],
  areAll: boolean,
): ServerState {
  return {
    ...state,
    rounds: { ...state.rounds, [runId]: withFetched(state.rounds[runId] ?? [], fetched) },
    roundsKnown: areAll ? { ...state.roundsKnown, [runId]: true } : state.roundsKnown,
    colours: assignColours(state.colours, participants(fetched)),
  };
}

function participants(rounds: readonly Round[]): string[] {
  return rounds.flatMap((round) => Object.keys(round.per_client));
}

function newestFirst(a: Run, b: Run): number {
  return b.created_at - a.created_at || b.id.localeCompare(a.id);
}
