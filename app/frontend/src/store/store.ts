/** The one store: what the server said, how the connection is, and which run the reader looks at. */
import { create } from "zustand";
import { type Batch, isActive, isOver, type Round, type Run, type Snapshot } from "../api/types";
import { applyEvents, applySnapshot, EMPTY, mergeRounds, mergeRun, type ServerState } from "./server-state";
import { type Links, NO_LINKS, withLinks } from "./links";
import { NO_USAGES, type Usages, withUpdate } from "./usages";

export interface Connection {
  state: "connecting" | "connected" | "reconnecting" | "unreachable";
  /** Unix seconds of the browser's clock. */
  since: number;
}

export interface PageState {
  server: ServerState;
  /** What machines are used for, since the page was opened or the server is another one. */
  usages: Usages;
  /** How clients' links are now. */
  links: Links;
  connection: Connection;
  /** Server's clock minus the browser's, in seconds. */
  clockOffset: number;
  /** Unix seconds of the server's clock, once a second; stands still while the connection is lost. */
  now: number;
  /** The run that the address names; null, or one that the server does not have, follows the active or newest one. */
  chosenRun: string | null;
  /** The round that the reader chose for the evaluation; null, or one of another run, follows the newest. */
  chosenRound: RoundOfRun | null;
  /** The round under the pointer in the curves. */
  hoveredRound: RoundOfRun | null;
  /** The client under the pointer in a table: its line stands out in the curves. */
  hoveredClient: string | null;
}

export interface RoundOfRun {
  run: string;
  round: number;
}

export function browserTime(): number {
  return Date.now() / 1000;
}

export const useStore = create<PageState>(() => ({
  server: EMPTY,
  usages: NO_USAGES,
  links: NO_LINKS,
  connection: { state: "connecting", since: browserTime() },
  clockOffset: 0,
  now: browserTime(),
  chosenRun: null,
  chosenRound: null,
  hoveredRound: null,
  hoveredClient: null,
}));

export function snapshotReceived(snapshot: Snapshot): void {
  useStore.setState(({ server, usages, links }) => ({
    server: applySnapshot(snapshot),
    usages: server.instance === snapshot.instance ? usages : NO_USAGES,
    links: server.instance === snapshot.instance ? links : NO_LINKS,
    clockOffset: snapshot.time - browserTime(),
    now: snapshot.time,
  }));
}

/** All of them change the page once. */
export function batchesReceived(batches: readonly Batch[]): void {
  useStore.setState(({ server, usages, links: before }) => ({
    server: applyEvents(
      server,
      batches.flatMap(({ events }) => events),
    ),
    usages: batches.reduce((known, { usage }) => (usage === null ? known : withUpdate(known, usage)), usages),
    links: batches.reduce((known, { links }) => (links === null ? known : withLinks(known, links)), before),
  }));
}

export function runFetched(run: Run, instance: string | null): void {
  useStore.setState(({ server }) => (server.instance === instance ? { server: mergeRun(server, run) } : {}));
}

/** `areAll`: with these, all rounds of the run are known. */
export function roundsFetched(
  runId: string,
  instance: string | null,
  rounds: readonly Round[],
  areAll: boolean,
): void {
  useStore.setState(({ server }) =>
    server.instance === instance ? { server: mergeRounds(server, runId, rounds, areAll) } : {},
  );
}

export function connectionChanged(state: Connection["state"], since: number = browserTime()): void {
  useStore.setState({ connection: { state, since } });
}

/** Called once a second. Ages must not grow on values that nobody has confirmed. */
export function secondPassed(): void {
  useStore.setState(({ connection, clockOffset }) =>
    connection.state === "connected" ? { now: browserTime() + clockOffset } : {},
  );
}

/** On a client's own page, where no server tells the time and the clients' colours. */
export function followClient(now: number, colours: ServerState["colours"]): void {
  useStore.setState(({ server }) => ({ now, server: { ...server, colours } }));
}

export function runChosen(runId: string | null): void {
  useStore.setState({ chosenRun: runId });
}

export function roundChosen(chosenRound: RoundOfRun | null): void {
  useStore.setState({ chosenRound });
}

export function roundHovered(hoveredRound: RoundOfRun | null): void {
  useStore.setState({ hoveredRound });
}

export function clientHovered(hoveredClient: string | null): void {
  useStore.setState({ hoveredClient });
}

/** The server was there and does not answer: what the page shows is from before. */
export function isStale({ connection, server }: PageState): boolean {
  return server.instance !== null && ["reconnecting", "unreachable"].includes(connection.state);
}

/** The run that holds or awaits the clients now; queued runs stand behind it. */
export function activeRun(state: PageState): Run | null {
  return state.server.runs.find((run) => isActive(run.state)) ?? null;
}

/** The run whose numbers the clients show: the active one, else the newest that they took part in. */
export function clientsRun(state: PageState): Run | null {
  return activeRun(state) ?? state.server.runs.find((run) => run.clients.length > 0) ?? null;
}

/** The shown run, if other runs have been since: then the page is about what was, not about what is. */
export function pastRun(state: PageState): Run | null {
  const shown = shownRun(state);
  if (shown === null || shown.state === "queued" || shown.id === clientsRun(state)?.id) return null;
  return isOver(shown.state) || shown.state === "interrupted" ? shown : null;
}

/** The shown run, if what the clients do now is of another: it is over, or stands in the queue behind that one. */
export function runApart(state: PageState): Run | null {
  const shown = shownRun(state);
  return shown?.state === "queued" && activeRun(state) !== null ? shown : pastRun(state);
}

/** The run that the page follows where none is chosen: the active one, else the newest. */
export function followedRun(state: PageState): Run | null {
  return activeRun(state) ?? state.server.runs[0] ?? null;
}

/** The run on the page: the chosen one, else the one that it follows. */
export function shownRun(state: PageState): Run | null {
  return state.server.runs.find((run) => run.id === state.chosenRun) ?? followedRun(state);
}

const NO_ROUNDS: readonly Round[] = [];

/** All rounds of the shown run, ascending, the last maybe incomplete. Stable while nothing changed. */
export function shownRounds(state: PageState): readonly Round[] {
  return roundsOf(state, shownRun(state));
}

/** Its complete rounds: the same array until another is complete, so that curves are drawn once for each. */
export function shownCompleteRounds(state: PageState): readonly Round[] {
  return completeOf(shownRounds(state));
}

let newestComplete: readonly Round[] = NO_ROUNDS;

function completeOf(rounds: readonly Round[]): readonly Round[] {
  const complete = rounds.filter((round) => round.complete);
  const same =
    complete.length === newestComplete.length && complete.every((round, at) => round === newestComplete[at]);
  if (!same) newestComplete = complete;
  return newestComplete;
}

export function roundsOf(state: PageState, run: Run | null): readonly Round[] {
  return (run && state.server.rounds[run.id]) ?? NO_ROUNDS;
}

/** The round that the reader points at or chose, if it is of the shown run. */
export function roundAt(state: PageState): number | null {
  const run = shownRun(state)?.id;
  const wanted = [state.hoveredRound, state.chosenRound].find((each) => each !== null && each.run === run);
  return wanted?.round ?? null;
}
