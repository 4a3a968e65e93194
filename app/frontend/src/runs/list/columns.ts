/** The columns of the list of runs. Pure functions. */
import type { Run, RunSortKey } from "../../api/types";
import { bytes, count, duration, epsilon, loss, percent } from "../../format/format";
import type { TitleOf } from "../../strategies/titles";
import { roundsWords } from "../run-words";
import { DATASETS, MODELS } from "../spec-words";

export type ColumnName =
  | "state"
  | "name"
  | "id"
  | "dataset"
  | "model"
  | "strategy"
  | "alpha"
  | "epochs"
  | "lr"
  | "seed"
  | "rounds"
  | "accuracy"
  | "loss"
  | "epsilon"
  | "bytes"
  | "duration"
  | "started";

export interface Column {
  name: ColumnName;
  title: string;
  /** Pixels; that of the name is the least that it has. */
  width: number;
  sort: RunSortKey;
  /** Stands at the right, in figures of one width. */
  number: boolean;
}

const of = (name: ColumnName, title: string, width: number, number = true): Column => ({
  name,
  title,
  width,
  sort: name,
  number,
});

export const COLUMNS: readonly Column[] = [
  of("state", "state", 104, false),
  of("name", "name", 160, false),
  of("id", "id", 80, false),
  of("dataset", "data set", 104, false),
  of("model", "model", 56, false),
  of("strategy", "strategy", 96, false),
  of("alpha", "α", 56),
  of("epochs", "epochs", 64),
  of("lr", "lr", 64),
  of("seed", "seed", 64),
  of("rounds", "rounds", 112),
  of("accuracy", "accuracy", 80),
  of("loss", "loss", 72),
  of("epsilon", "ε", 64),
  of("bytes", "received", 80),
  of("duration", "duration", 88),
  of("started", "started", 80),
];

export const DEFAULT_COLUMNS: readonly ColumnName[] = [
  "state",
  "name",
  "dataset",
  "strategy",
  "alpha",
  "epochs",
  "lr",
  "seed",
  "rounds",
  "accuracy",
  "duration",
  "started",
];

/** The four that matter where there is room for no more. */
export const NARROW_COLUMNS: readonly ColumnName[] = ["state", "name", "accuracy", "started"];

const NARROW_WIDTHS: Readonly<Partial<Record<ColumnName, number>>> = { state: 80, accuracy: 52, started: 66 };

export function shownColumns(chosen: readonly ColumnName[], narrow: boolean): Column[] {
  const names = narrow ? NARROW_COLUMNS : chosen;
  return COLUMNS.filter(({ name }) => names.includes(name));
}

/** The columns' widths, for CSS, after that of the box by which a run is selected. */
export function gridOf(columns: readonly Column[], narrow: boolean): string {
  const widths = columns.map(({ name, width }) => {
    if (name === "name") return `minmax(${narrow ? 72 : width}px, 1fr)`;
    return `${narrow ? (NARROW_WIDTHS[name] ?? width) : width}px`;
  });
  return [narrow ? "16px" : "24px", ...widths].join(" ");
}

/** So wide that no column has to give way. */
export function leastWidth(columns: readonly Column[], narrow: boolean): number {
  if (narrow) return 0;
  return columns.reduce((sum, { width }) => sum + width + 8, 24 + 24);
}

export interface Cell {
  text: string;
  /** Why there is nothing, where `text` is an en dash. */
  why: string;
}

interface Told {
  titleOf: TitleOf;
  received: number | undefined;
  now: number;
}

/** What stands in a column that is words or a number alone. */
export function cellOf(name: ColumnName, run: Run, { titleOf, received, now }: Told): Cell {
  const { spec } = run;
  const own = (text: string): Cell =>
    spec.app === null ? { text, why: "" } : { text: "–", why: "the app has settings of its own" };
  switch (name) {
    case "id":
      return { text: run.id, why: "" };
    case "dataset":
      return { text: spec.app ?? DATASETS[spec.dataset], why: "" };
    case "model":
      return own(MODELS[spec.model]);
    case "strategy":
      return own(titleOf(spec.strategy));
    case "alpha":
      return own(spec.alpha === null ? "IID" : String(spec.alpha));
    case "epochs":
      return own(count(spec.local_epochs));
    case "lr":
      return own(String(spec.lr));
    case "seed":
      return own(String(spec.seed));
    case "rounds":
      return { text: roundsWords(run), why: "" };
    case "accuracy":
      return { text: percent(run.final?.accuracy), why: notEvaluated(run) };
    case "loss":
      return { text: loss(run.final?.loss), why: notEvaluated(run) };
    case "epsilon":
      return { text: epsilon(run.privacy?.epsilon), why: "without differential privacy, or not spent yet" };
    case "bytes":
      return { text: bytes(received), why: "nothing has come from a client" };
    case "duration": {
      const lasted = run.started_at === null ? null : (run.finished_at ?? now) - run.started_at;
      return { text: duration(lasted), why: "it has not started" };
    }
    default:
      return { text: "–", why: "" };
  }
}

function notEvaluated({ spec }: Run): string {
  return spec.app === null ? "not evaluated yet" : "the app has not evaluated a global model";
}
