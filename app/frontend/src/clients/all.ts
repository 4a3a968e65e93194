/** All clients in their table: who is shown, in which order, as the address has it. Pure functions. */
import type { Verdict } from "../api/types";
import { shortKey } from "../enrolment/applicants";
import { natural } from "../store/server-state";
import type { Listed } from "./order";
import type { LatestResult } from "./results";
import { type RoleFilter, ROLE_FILTERS } from "./RoleFilters";
import { roleWord } from "./roles";
import type { Spent } from "./spent";
import { judged } from "./verdicts";

/** A client with what it has done in the run that the table is about. */
export interface Known extends Listed {
  /** Rounds in which its update counted; null: it has no part in the run. */
  rounds: number | null;
  /** Seconds that its update in the round that goes on took; null: there is none. */
  delivered: number | null;
  latest: LatestResult | undefined;
  spent: Spent | undefined;
}

export interface Column {
  name: string;
  /** For the head's hover. */
  about: string;
  number: boolean;
  /** Null stands last, whatever the order. */
  value: (known: Known) => string | number | null;
}

export const COLUMNS: readonly Column[] = [
  column("client", "by its name", ({ client }) => client.id),
  column("state", "in the round that goes on", ({ role }) => roleWord(role)),
  column("key", "the first letters of its key, to compare", ({ client }) => keyOf(client.key)),
  column("host", "its machine", ({ client }) => client.host || null),
  column("device", "what it computes on", ({ client }) => client.device || null),
  column("data set", "or the Flower app that it runs", ({ client }) => client.app ?? client.dataset),
  column("samples", "training samples in this run", ({ client }) => client.samples, true),
  column("seen", "when it was heard of last", ({ client }) => client.last_seen, true),
  column("rounds", "in which its update counted, in this run", ({ rounds }) => rounds, true),
  column("accuracy", "on its own data", ({ client }) => client.accuracy, true),
  column(
    "received",
    "bytes that came from it over the link since the server was started",
    ({ client }) => carried(client.bytes_received),
    true,
  ),
  column(
    "sent",
    "bytes that the server has sent it over the link since it was started",
    ({ client }) => carried(client.bytes_sent),
    true,
  ),
  column("refused", "of its replies, in all runs", ({ client }) => refused(client.verdicts), true),
  column("ε", "spent of its data's privacy, in all runs", ({ spent }) => spent?.epsilon ?? null, true),
];

function column(name: string, about: string, value: Column["value"], number = false): Column {
  return { name, about, number, value };
}

function keyOf(key: string | null): string | null {
  return key === null ? null : shortKey(key);
}

/** Null: it was not here, or the server has counted nothing yet. */
export function carried(bytes: number): number | null {
  return bytes > 0 ? bytes : null;
}

/** Replies that nobody used; null: none was judged yet. */
export function refused(verdicts: Readonly<Partial<Record<Verdict, number>>>): number | null {
  const all = judged({ verdicts });
  return all === 0 ? null : all - (verdicts.accepted ?? 0);
}

export interface TableChoice {
  text: string;
  role: RoleFilter;
  /** Null: who holds up the run comes first. */
  sort: string | null;
  order: "asc" | "desc";
}

/** What the address does not say, or says wrongly, is as it is by default. */
export function choiceOf(params: URLSearchParams): TableChoice {
  return {
    text: params.get("q") ?? "",
    role: ROLE_FILTERS.find((role) => role === params.get("role")) ?? "all",
    sort: COLUMNS.find(({ name }) => name === params.get("sort"))?.name ?? null,
    order: params.get("order") === "desc" ? "desc" : "asc",
  };
}

/** The address that shows this choice; what is as it is by default is left out. */
export function paramsOf({ text, role, sort, order }: TableChoice): URLSearchParams {
  const params = new URLSearchParams();
  if (text !== "") params.set("q", text);
  if (role !== "all") params.set("role", role);
  if (sort !== null) params.set("sort", sort);
  if (sort !== null && order === "desc") params.set("order", order);
  return params;
}

/** Pressed again, a column's head turns the order, and pressed a third time it gives way to the usual one. */
export function sortedBy(choice: TableChoice, { name, number }: Column): TableChoice {
  const first = number ? "desc" : "asc";
  if (choice.sort !== name) return { ...choice, sort: name, order: first };
  if (choice.order === first) return { ...choice, order: first === "asc" ? "desc" : "asc" };
  return { ...choice, sort: null, order: "asc" };
}

/** Those that are wanted, in the order that is wanted. */
export function chosen(all: readonly Known[], { text, role, sort, order }: TableChoice): readonly Known[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = all.filter(
    (known) => (role === "all" || known.role === role) && words.every((word) => textOf(known).includes(word)),
  );
  const by = COLUMNS.find(({ name }) => name === sort);
  return by === undefined ? found : found.toSorted((a, b) => compare(by.value(a), by.value(b), order));
}

function textOf({ client: { id, key, host, device, dataset, app } }: Known): string {
  return [id, key, keyOf(key), host, device, app ?? dataset].join(" ").toLowerCase();
}

type Sortable = ReturnType<Column["value"]>;

function compare(a: Sortable, b: Sortable, order: "asc" | "desc"): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const ascending = typeof a === "number" && typeof b === "number" ? a - b : natural.compare(`${a}`, `${b}`);
  return order === "asc" ? ascending : -ascending;
}
