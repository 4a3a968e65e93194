/** The one store: what the server said, how the connection is, and which run the reader looks at. */
import { create } from "zustand";
import { isActive, type Round, type Run, type ServerEvent, type Snapshot } from "../api/types";
import { applyEvents, applySnapshot, EMPTY, mergeRounds, type ServerState } from "./server-state";

export interface Connection {
  state: "connecting" | "connected" | "reconnecting" | "unreachable";
  /** Unix seconds of the browser's clock. */
  since: number;
}

export interface PageState {
  server: ServerState;
  connection: Connection;
  /** Server's clock minus the browser's, in seconds. */
  clockOffset: number;
  /** Unix seconds of the server's clock, once a second; stands still while the connection is lost. */
  now: number;
  /** The run that the reader chose from the list; null follows the active or newest one. */
  chosenRun: string | null;
  /** The round that the reader chose for the evaluation; null, or one of another run, follows the newest. */
  chosenRound: RoundOfRun | null;
  /** The round under the pointer in the curves. */
  hoveredRound: RoundOfRun | null;
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
  connection: { state: "connecting", since: browserTime() },
  clockOffset: 0,
  now: browserTime(),
  chosenRun: null,
  chosenRound: null,
  hoveredRound: null,
}));

export function snapshotReceived(snapshot: Snapshot): void {
  useStore.setState(({ chosenRun }) => ({
    server: applySnapshot(snapshot),
    clockOffset: snapshot.time - browserTime(),
    now: snapshot.time,
    chosenRun: snapshot.runs.some((run) => run.id === chosenRun) ? chosenRun : null,
  }));
}

export function eventsReceived(events: readonly ServerEvent[]): void {
  useStore.setState(({ server }) => ({ server: applyEvents(server, events) }));
}

export function roundsFetched(runId: string, instance: string | null, rounds: readonly Round[]): void {
  useStore.setState(({ server }) =>
    server.instance === instance ? { server: mergeRounds(server, runId, rounds) } : {},
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

export function runChosen(runId: string | null): void {
  useStore.setState({ chosenRun: runId });
}

export function roundChosen(chosenRound: RoundOfRun | null): void {
  useStore.setState({ chosenRound });
}

export function roundHovered(hoveredRound: RoundOfRun | null): void {
  useStore.setState({ hoveredRound });
}

/** The run that holds or awaits the clients now; queued runs stand behind it. */
export function activeRun(state: PageState): Run | null {
  return state.server.runs.find((run) => isActive(run.state)) ?? null;
}

/** The run whose numbers the clients show: the active one, else the newest that they took part in. */
export function clientsRun(state: PageState): Run | null {
  return activeRun(state) ?? state.server.runs.find((run) => run.clients.length > 0) ?? null;
}

/** The run on the page: the chosen one, else the active one, else the newest. */
export function shownRun(state: PageState): Run | null {
  const chosen = state.server.runs.find((run) => run.id === state.chosenRun);
  return chosen ?? activeRun(state) ?? state.server.runs[0] ?? null;
}

const NO_ROUNDS: readonly Round[] = [];

/** All rounds of the shown run, ascending, the last maybe incomplete. Stable while nothing changed. */
export function shownRounds(state: PageState): readonly Round[] {
  return roundsOf(state, shownRun(state));
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
