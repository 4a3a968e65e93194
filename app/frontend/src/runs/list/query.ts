/** What of the runs the list shows, as the address has it. Pure functions. */
import { RUN_SPEC } from "../../api/run-spec";
import type { RunListQuery, RunSortKey, RunState } from "../../api/types";
import { COLUMNS, type ColumnName, DEFAULT_COLUMNS } from "./columns";

export const STATES: readonly RunState[] = [
  "queued",
  "waiting",
  "running",
  "paused",
  "completed",
  "stopped",
  "failed",
  "interrupted",
];

export interface ListChoice {
  text: string;
  states: readonly RunState[];
  datasets: readonly string[];
  strategies: readonly string[];
  tags: readonly string[];
  sort: RunSortKey;
  order: "asc" | "desc";
  columns: readonly ColumnName[];
  /** Ids of the runs that are to be compared or deleted. */
  selected: readonly string[];
}

const SORTS: readonly RunSortKey[] = ["created", ...COLUMNS.map(({ sort }) => sort)];

/** What the address does not say, or says wrongly, is as it is by default. */
export function choiceOf(params: URLSearchParams): ListChoice {
  const columns = listOf(params, "columns").flatMap((each) => COLUMNS.filter(({ name }) => name === each));
  return {
    text: params.get("q") ?? "",
    states: STATES.filter((state) => listOf(params, "state").includes(state)),
    datasets: listOf(params, "dataset").filter((each) => offered("dataset").includes(each)),
    strategies: listOf(params, "strategy").filter((each) => offered("strategy").includes(each)),
    tags: params.getAll("tag"),
    sort: SORTS.find((each) => each === params.get("sort")) ?? "created",
    order: params.get("order") === "asc" ? "asc" : "desc",
    columns: columns.length > 0 ? columns.map(({ name }) => name) : DEFAULT_COLUMNS,
    selected: listOf(params, "selected"),
  };
}

/** The address that shows this choice; what is as it is by default is left out. */
export function paramsOf(choice: ListChoice): URLSearchParams {
  const params = new URLSearchParams();
  const put = (name: string, value: string): void => {
    if (value !== "") params.set(name, value);
  };
  put("q", choice.text);
  put("state", choice.states.join(","));
  put("dataset", choice.datasets.join(","));
  put("strategy", choice.strategies.join(","));
  for (const tag of choice.tags) params.append("tag", tag);
  if (choice.sort !== "created" || choice.order !== "desc") {
    put("sort", choice.sort);
    put("order", choice.order);
  }
  if (choice.columns.join() !== DEFAULT_COLUMNS.join()) put("columns", choice.columns.join(","));
  put("selected", choice.selected.join(","));
  return params;
}

/** What the server is asked for. */
export function queryOf(choice: ListChoice): RunListQuery {
  return {
    ...(choice.text === "" ? {} : { q: choice.text }),
    state: [...choice.states],
    dataset: choice.datasets as RunListQuery["dataset"] & string[],
    strategy: choice.strategies as RunListQuery["strategy"] & string[],
    tag: [...choice.tags],
    sort: choice.sort,
    order: choice.order,
  };
}

/** Pressed again, a column's head turns the order; another one begins with what is most or newest. */
export function sortedBy(choice: ListChoice, sort: RunSortKey): ListChoice {
  const turned = choice.order === "desc" ? "asc" : "desc";
  return {
    ...choice,
    sort,
    order: choice.sort === sort ? turned : FIRST_ASCENDING.has(sort) ? "asc" : "desc",
  };
}

const FIRST_ASCENDING: ReadonlySet<RunSortKey> = new Set([
  "name",
  "id",
  "dataset",
  "model",
  "strategy",
  "state",
]);

export function toggled<Item>(items: readonly Item[], item: Item): Item[] {
  return items.includes(item) ? items.filter((each) => each !== item) : [...items, item];
}

/** Whether the list leaves out any run. */
export function isFiltered({ text, states, datasets, strategies, tags }: ListChoice): boolean {
  return text !== "" || [states, datasets, strategies, tags].some((each) => each.length > 0);
}

export function offered(field: "dataset" | "strategy"): readonly string[] {
  return RUN_SPEC[field].choices;
}

function listOf(params: URLSearchParams, name: string): string[] {
  return (params.get(name) ?? "").split(",").filter((each) => each !== "");
}
