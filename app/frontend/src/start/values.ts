/** The start form's values and how they become a RunSpec. The server alone judges ranges; here only typing errors are caught. */
import type { RunSpec } from "../api/types";

/** Number fields hold what was typed, also while it is no number yet. */
type Typed = number | string;

export interface FormValues {
  dataset: RunSpec["dataset"];
  model: RunSpec["model"];
  strategy: RunSpec["strategy"];
  iid: boolean;
  num_rounds: Typed;
  min_clients: Typed;
  alpha: Typed;
  lr: Typed;
  local_epochs: Typed;
  batch_size: Typed;
  seed: Typed;
  /** Empty: as many parts as clients at the start. */
  num_partitions: Typed;
  fraction_train: Typed;
  fraction_evaluate: Typed;
}

export type Field = Exclude<keyof FormValues, "iid">;
export type FieldErrors = Partial<Record<Field, string>>;

/** The same defaults as the server's; a test compares them with openapi.json. */
export const DEFAULTS: FormValues = {
  dataset: "digits",
  model: "cnn",
  strategy: "fedavg",
  iid: false,
  num_rounds: 10,
  min_clients: 2,
  alpha: 0.5,
  lr: 0.05,
  local_epochs: 1,
  batch_size: 32,
  seed: 0,
  num_partitions: "",
  fraction_train: 1,
  fraction_evaluate: 1,
};

/** What the form shows for a spec, for example the one that the server was started with. */
export function valuesOf(spec: RunSpec | undefined): FormValues {
  if (spec === undefined) return DEFAULTS;
  const { strategy_params: _none, alpha, num_partitions, ...same } = spec;
  return {
    ...DEFAULTS,
    ...same,
    alpha: alpha ?? DEFAULTS.alpha,
    iid: alpha === null,
    num_partitions: num_partitions ?? "",
  };
}

/** Fields that stand in the collapsed part of the form. */
export const ADVANCED: readonly Field[] = ["strategy", "num_partitions", "fraction_train", "fraction_evaluate"];

const REQUIRED_NUMBERS = [
  "num_rounds", "min_clients", "lr", "local_epochs", "batch_size", "seed", "fraction_train", "fraction_evaluate",
] as const;

function parse(typed: Typed): number | null {
  const text = String(typed).trim();
  const value = Number(text);
  return text === "" || !Number.isFinite(value) ? null : value;
}

export type Parsed = { spec: Partial<RunSpec>; errors: null } | { spec: null; errors: FieldErrors };

export function toSpec(values: FormValues): Parsed {
  const errors: FieldErrors = {};
  const spec: Partial<RunSpec> = { dataset: values.dataset, model: values.model, strategy: values.strategy };
  for (const field of REQUIRED_NUMBERS) {
    const value = parse(values[field]);
    if (value === null) errors[field] = "needs a number";
    else spec[field] = value;
  }
  const alpha = values.iid ? null : parse(values.alpha);
  if (!values.iid && alpha === null) errors.alpha = "needs a number, or switch IID on";
  spec.alpha = alpha;
  const partitions = parse(values.num_partitions);
  if (partitions === null && String(values.num_partitions).trim() !== "") errors.num_partitions = "needs a number or nothing";
  spec.num_partitions = partitions;
  return Object.keys(errors).length > 0 ? { spec: null, errors } : { spec, errors: null };
}

/** Splits the server's complaints into those that belong to a field of the form and the rest, as sentences. */
export function splitErrors(errors: readonly { field: string; message: string }[]): { fields: FieldErrors; rest: string[] } {
  const fields: FieldErrors = {};
  const rest: string[] = [];
  for (const { field, message } of errors) {
    if (isField(field)) fields[field] = message;
    else rest.push(field === "" ? message : `${field}: ${message}`);
  }
  return { fields, rest };
}

function isField(name: string): name is Field {
  return name in DEFAULTS && name !== "iid";
}
