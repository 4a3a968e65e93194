/** What the browser's tab says while the reader is elsewhere. Pure functions. */
import { FAVICON } from "../api/base";
import type { Run, RunState } from "../api/types";
import { count, percent } from "../format/format";
import { roundsWords } from "../runs/run-words";

export type TabState = RunState | "none" | "gone";

/** "▶ 47/50 98.1 %", "waiting 2 of 3", "server gone": the shortest that says whether one is needed. */
export function tabTitle(run: Run | null, accuracy: number | null, gone: boolean): string {
  return `${wordsOf(run, accuracy, gone)}FedLoom`;
}

export function tabState(run: Run | null, gone: boolean): TabState {
  if (gone) return "gone";
  return run === null ? "none" : run.state;
}

function wordsOf(run: Run | null, accuracy: number | null, gone: boolean): string {
  if (gone) return "server gone · ";
  if (run === null) return "";
  return `${[stateWords(run), accuracy === null ? null : percent(accuracy)].filter((part) => part !== null).join(" ")} · `;
}

function stateWords(run: Run): string {
  const rounds = run.num_rounds === null ? count(run.round) : `${count(run.round)}/${count(run.num_rounds)}`;
  switch (run.state) {
    case "running":
      return `▶ ${rounds}`;
    case "paused":
      return `⏸ ${rounds}`;
    case "waiting":
      return run.waiting_for === null ? `waiting ${rounds}` : waitingWords(run);
    case "completed":
      return "✓ completed";
    case "failed":
      return `✗ failed at ${roundsWords(run)}`;
    default:
      return run.state;
  }
}

/** How many are there of those that it waits for. */
function waitingWords({ waiting_for }: Run): string {
  const { have, need } = waiting_for ?? {};
  return have == null || need == null ? "waiting" : `waiting ${count(have)} of ${count(need)}`;
}

const STROKE = 'fill="none" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"';
const THREADS =
  '<path stroke="#5b8bff" d="M8 4v2M8 16v12M16 4v12M16 26v2M24 4v2M24 16v12"/><path stroke="#8792a5" d="M4 11h16M28 11h0M12 21h16M4 21h0"/>';

/** Shape and colour, on a disc that is seen on light and dark tabs. */
const BADGES: Partial<Record<TabState, [colour: string, path: string]>> = {
  running: ["#1f9d61", "M20 18l7 5-7 5z"],
  waiting: ["#c98a00", "M23 19v4l3 2"],
  paused: ["#6b7688", "M21 19v8M26 19v8"],
  completed: ["#1f9d61", "M19 23l3 3 5-6"],
  failed: ["#d6403a", "M20 20l6 6M26 20l-6 6"],
  interrupted: ["#c98a00", "M23 18v6M23 28h0"],
  gone: ["#d6403a", "M23 18v6M23 28h0"],
};

/** The favicon as an address of its own: what is drawn stands in it. */
export function tabIcon(state: TabState): string {
  const badge = BADGES[state];
  if (badge === undefined) return FAVICON;
  const [colour, path] = badge;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" ${STROKE}>${THREADS}<circle cx="23" cy="23" r="9" fill="${colour}"/><path d="${path}" stroke="#fff" stroke-width="3"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
