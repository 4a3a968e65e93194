/** What of all that happens is worth a notification. Pure functions; the server's webhook goes by the same rules. */
import type { Client, Run, WaitingFor } from "../api/types";
import { count, epsilon, percent, span } from "../format/format";
import type { ServerState } from "../store/server-state";

/** So long a run may wait for clients, in seconds. */
export const WAITING_S = 300;
/** The share of a privacy budget from which on it is nearly spent. */
const NEARLY = 0.9;

export interface Notice {
  /** Two tabs that tell of the same show it once. */
  key: string;
  title: string;
  body: string;
  /** The page that shows more. */
  to: string;
}

/** What was there at the last look. */
export interface Seen {
  states: Readonly<Record<string, Run["state"]>>;
  waits: Readonly<Record<string, Wait>>;
  pending: ReadonlySet<string>;
  budgets: ReadonlySet<string>;
}

interface Wait {
  since: number;
  told: boolean;
}

const ENDS: Partial<Record<Run["state"], string>> = {
  completed: "is complete",
  failed: "has failed",
  stopped: "was stopped",
  interrupted: "was interrupted",
};

const FOR_CLIENTS: ReadonlySet<WaitingFor["kind"]> = new Set(["clients", "return", "replies", "retry"]);

/** What is new since the last look; with none before, nothing is. `now`: Unix seconds. */
export function look(
  before: Seen | null,
  server: ServerState,
  now: number,
): { seen: Seen; notices: Notice[] } {
  const notices: Notice[] = [];
  const tell = (notice: Notice): void => {
    if (before !== null) notices.push(notice);
  };
  const waits: Record<string, Wait> = {};
  for (const run of server.runs) {
    const ended = ENDS[run.state];
    if (ended !== undefined && before?.states[run.id] !== undefined && before.states[run.id] !== run.state)
      tell(ofEnd(run, ended));
    if (run.waiting_for === null || !FOR_CLIENTS.has(run.waiting_for.kind)) continue;
    const wait = before?.waits[run.id] ?? { since: now, told: false };
    const told = wait.told || now - wait.since >= WAITING_S;
    if (told && !wait.told) tell(ofWait(run, now - wait.since));
    waits[run.id] = { since: wait.since, told };
  }
  const pending = new Set(server.clients.flatMap(keysThatWait));
  for (const client of server.clients)
    if (keysThatWait(client).some((key) => before?.pending.has(key) === false)) tell(ofPending(client));
  const budgets = new Set(before?.budgets);
  for (const [key, notice] of nearlySpent(server)) {
    if (!budgets.has(key)) tell(notice);
    budgets.add(key);
  }
  const states = Object.fromEntries(server.runs.map(({ id, state }) => [id, state]));
  return { seen: { states, waits, pending, budgets }, notices };
}

function keysThatWait(client: Client): string[] {
  const own = client.membership === "pending" && client.key !== null ? [client.key] : [];
  return [...own, ...client.waiting_keys].map((key) => `${client.id} ${key}`);
}

/** By client and budget, of the newest round of each run. */
function* nearlySpent({ rounds }: ServerState): Generator<[string, Notice]> {
  for (const ofRun of Object.values(rounds))
    for (const [id, part] of Object.entries(ofRun.at(-1)?.per_client ?? {})) {
      const { epsilon: spent, epsilon_budget: budget } = part;
      if (spent === null || budget === null || spent < NEARLY * budget) continue;
      const key = `${id} ${budget}`;
      yield [
        key,
        {
          key: `budget ${key}`,
          title: `${id}: privacy budget nearly spent`,
          body: `An epsilon of ${epsilon(spent)}; its site allows ${epsilon(budget)}.`,
          to: "/trust",
        },
      ];
    }
}

function ofEnd(run: Run, ended: string): Notice {
  const rounds = `round ${count(run.round)}${run.num_rounds === null ? "" : ` of ${count(run.num_rounds)}`}`;
  const accuracy = run.final?.accuracy == null ? "" : `, accuracy ${percent(run.final.accuracy)}`;
  const reason = run.state === "completed" || run.reason === null ? "" : `. ${run.reason}`;
  return {
    key: `end ${run.id} ${run.state} ${run.round}`,
    title: `Run ${run.name ?? run.id} ${ended}`,
    body: `${rounds}${accuracy}${reason}`,
    to: `/runs/${run.id}`,
  };
}

function ofWait(run: Run, seconds: number): Notice {
  return {
    key: `wait ${run.id} ${run.round}`,
    title: `Run ${run.name ?? run.id} has been waiting for ${span(seconds)}`,
    body: run.reason ?? "It waits for clients.",
    to: "/",
  };
}

function ofPending(client: Client): Notice {
  return {
    key: `pending ${client.id} ${client.key ?? ""}`,
    title: `${client.id} waits to be approved`,
    body: `It asks to join from ${client.host}.`,
    to: "/clients",
  };
}
