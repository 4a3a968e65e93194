/** What the page knows of the server, and how a snapshot or an event changes it. Pure functions only. */
import type { AuditStatus, Client, LogEntry, LogEvent, Round, Run } from "../api/types";
import type { ServerEvent, Snapshot, Status } from "../api/types";
import { assignColours, type ColourIndex } from "../clients/colours";
import { isPrinted } from "../events/prints";

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
  /** Newest first. */
  readonly runs: readonly Run[];
  /** By run id, ascending. Only runs in `roundsKnown` have all of them. */
  readonly rounds: Readonly<Record<string, readonly Round[]>>;
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

export const natural = new Intl.Collator("en", { numeric: true });

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
    rounds: snapshot.rounds,
    roundsKnown,
    clients: [...snapshot.clients].sort(byId),
    logs: newestOfEachKind(snapshot.logs),
    audit: snapshot.audit,
    colours: assignColours({}, [
      ...snapshot.clients.map((client) => client.id).sort(natural.compare),
      ...Object.values(snapshot.rounds).flatMap(participants),
    ]),
  };
}

/** The built-in app evaluates its model before round 1; what another app does in "round 0" nobody knows. */
function hasNoRounds({ final, round, spec }: Run): boolean {
  return final === null && round === 0 && spec.app === null;
}

/** Applies events in the order given; one that is older than what is known changes nothing. */
export function applyEvents(state: ServerState, events: readonly ServerEvent[]): ServerState {
  const logs = events.filter((event) => event.type === "log");
  const rest = events.filter((event) => event.type !== "log");
  const next = rest.reduce(applyEvent, state);
  return logs.length > 0 ? applyLogs(next, logs) : next;
}

function applyEvent(state: ServerState, event: Exclude<ServerEvent, LogEvent>): ServerState {
  if (event.seq <= state.snapshotSeq) return state;
  const seen: ServerState = { ...state, seq: Math.max(state.seq, event.seq) };
  if (event.type === "metrics_update") return upsertRound(seen, event.data.run_id, event.data.round);
  if (event.type === "verdict") return seen; // what it changes, the client and the round say as well
  const entity = entityOf(event);
  if (event.seq <= (state.applied[entity] ?? 0)) return state;
  const marked: ServerState = { ...seen, applied: { ...state.applied, [entity]: event.seq } };
  switch (event.type) {
    case "run_update":
      return upsertRun(marked, event.data);
    case "client_update":
      return upsertClient(marked, event.data);
    case "client_gone":
      return { ...marked, clients: state.clients.filter(({ id }) => id !== event.data.id) };
    case "store_update":
      return { ...marked, status: marked.status && { ...marked.status, store_problem: event.data.problem } };
    case "audit_update":
      return { ...marked, audit: event.data };
  }
}

/** What an event is about, of which the newest word counts. */
function entityOf(event: Exclude<ServerEvent, { type: "log" | "metrics_update" | "verdict" }>): string {
  if (event.type === "store_update" || event.type === "audit_update") return event.type;
  const kind = event.type === "client_gone" ? "client_update" : event.type;
  return `${kind}:${event.data.id}`;
}

function upsertRun(state: ServerState, run: Run): ServerState {
  const before = state.runs.find((other) => other.id === run.id);
  return {
    ...state,
    runs:
      before === undefined
        ? [run, ...state.runs].sort(newestFirst)
        : state.runs.map((other) => (other.id === run.id ? run : other)),
    rounds:
      before !== undefined && run.round < before.round ? withoutLaterRounds(state.rounds, run) : state.rounds,
    // A run that appears while we listen has no rounds that we could have missed.
    roundsKnown: before === undefined ? { ...state.roundsKnown, [run.id]: true } : state.roundsKnown,
    colours: assignColours(state.colours, run.clients),
  };
}

/** A run that goes on from an earlier checkpoint does the rounds after it anew. */
function withoutLaterRounds(rounds: ServerState["rounds"], { id, round }: Run): ServerState["rounds"] {
  return { ...rounds, [id]: (rounds[id] ?? []).filter((other) => other.round <= round) };
}

function upsertRound(state: ServerState, runId: string, round: Round): ServerState {
  const rounds = state.rounds[runId] ?? [];
  // A complete round is final: what still arrives for it was sent before.
  if (!round.complete && rounds.some((other) => other.round === round.round && other.complete)) return state;
  const others = rounds.filter((other) => other.round !== round.round);
  return {
    ...state,
    rounds: { ...state.rounds, [runId]: [...others, round].sort((a, b) => a.round - b.round) },
    colours: assignColours(state.colours, Object.keys(round.per_client)),
  };
}

function upsertClient(state: ServerState, client: Client): ServerState {
  const others = state.clients.filter((other) => other.id !== client.id);
  return {
    ...state,
    clients: [...others, client].sort(byId),
    colours: assignColours(state.colours, [client.id]),
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

/** Adds the complete rounds of a run as fetched over REST; what arrived live meanwhile is newer and stays. */
export function mergeRounds(state: ServerState, runId: string, fetched: readonly Round[]): ServerState {
  const live = state.rounds[runId] ?? [];
  const kept = live.filter(
    (round) => round.complete || !fetched.some((other) => other.round === round.round),
  );
  const added = fetched.filter((round) => !kept.some((other) => other.round === round.round));
  return {
    ...state,
    rounds: { ...state.rounds, [runId]: [...kept, ...added].sort((a, b) => a.round - b.round) },
    roundsKnown: { ...state.roundsKnown, [runId]: true },
    colours: assignColours(state.colours, participants(fetched)),
  };
}

function participants(rounds: readonly Round[]): string[] {
  return rounds.flatMap((round) => Object.keys(round.per_client));
}

function newestFirst(a: Run, b: Run): number {
  return b.created_at - a.created_at || b.id.localeCompare(a.id);
}

function byId(a: Client, b: Client): number {
  return natural.compare(a.id, b.id);
}
